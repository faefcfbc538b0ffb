"""`activations`: the feature maps of pictures at every stage, or all of one layer, and the units that are dead or saturated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.draw.figure import Panel, figure
from neocog.draw.mosaic import mosaic, shades, squarish
from neocog.engine import forward, obeying
from neocog.errors import UsageError
from neocog.examine.layers import find_layer
from neocog.examine.member import EXAMINATIONS, Asked, Examination, Findings, Request, Sheet, Table
from neocog.examine.pictures import Pictures, Shown
from neocog.examine.units import as_picture, batches, evenly, exact, on_what, short
from neocog.explain.activations import Activity, UnitCounts, bounds_of, is_activation, watched
from neocog.images import Picture
from neocog.options import check, option
from neocog.run import Trained
from neocog.targets import Label, Prediction

__all__ = ["ActivationsOptions", "activations"]

MOST_PICTURES, MOST_MAPS, MOST_OF_LAYER, SHEET = 4, 12, 256, 1180
STAGES = "stages."
DEAD = "dead: the same value at every place of every picture (after a rectifier: 0)"
ALWAYS_ON = "always on: above 0 at every place of every picture"
SATURATED = "saturated: at least 95 % of the values within 1 % of a bound other than 0 (tanh, sigmoid, relu6)"


@dataclass(frozen=True)
class ActivationsOptions:
    """What can be chosen."""

    counted: int = option(1_000, "most pictures of the data over which dead and saturated units are counted", low=1)

    def __post_init__(self) -> None:
        check(self)


class _Counted(NamedTuple):
    """Dead and saturated units of each layer, and over what they were counted."""

    layers: dict[str, UnitCounts]
    pictures: int
    where: str


def activations(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a layer that there is not or that gives no maps, or a network without stages where none is named.
    """
    trained = request.trained
    layers = [STAGES + name for name in trained.model.stages] if request.layer is None else [find_layer(trained, request.layer)]
    if not layers:
        found = f"{trained.name}, which has none"
        raise UsageError("a network with stages, or --layer", found, f"name a layer, as --layer {_some_layer(trained)}")
    pictures = Pictures(request, most=MOST_PICTURES)
    sheets: list[Sheet] = []
    facts: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for picture, name, prediction in islice(_each(pictures), MOST_PICTURES):
        maps = _outputs(trained, picture[None], layers)
        number = len(sheets) + 1
        sheets.append(_sheet(trained, picture, maps, name, number, _answer(trained, prediction)))
        facts.append({"picture": name, "layers": {short(layer): _measured(values) for layer, values in maps.items()}})
        arrays |= {f"{number}_{short(layer)}": values.numpy() for layer, values in maps.items()}
    counted = _count(request, pictures)
    said = {
        "pictures": facts,
        "counted_pictures": counted.pictures,
        "counted_on": counted.where,
        "definitions": {"dead": DEAD, "always_on": ALWAYS_ON, "saturated": SATURATED},
        "units": {short(name): _numbers(counts) for name, counts in counted.layers.items()},
    }
    lines = [DEAD, ALWAYS_ON, SATURATED, *(f"left out: {fault}" for fault in pictures.left_out)]
    return Findings(said, sheets, [_table(counted)], lines, arrays if request.arrays else {})


def _each(pictures: Pictures) -> Any:
    """Picture by picture: the image, its name, and what the network answers."""
    for shown in pictures:
        yield from _rows(shown)


def _rows(shown: Shown) -> Any:
    return zip(shown.batch.images, shown.names, shown.predictions, strict=True)


def _outputs(trained: Trained, images: Float[Tensor, "b c h w"], layers: Sequence[str]) -> dict[str, Tensor]:
    """What each layer makes of the first image: "units h w" of maps, "units" of a dense layer."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def take(output: Tensor) -> None:
            found.setdefault(name, output[0].detach().float().cpu().clone())

        return take

    plan = exact(trained.plan)
    with torch.inference_mode(), obeying(plan), watched(trained.model, {name: keep(name) for name in layers}):
        forward(trained.model, images, plan)
    for name in layers:
        if name not in found or found[name].ndim not in (1, 3):
            raise UsageError("a layer that gives maps or numbers", f"{short(name)}, which does not", "choose another layer")
    return found


def _sheet(trained: Trained, image: Tensor, maps: Mapping[str, Tensor], name: str, number: int, answer: str) -> Sheet:
    """The picture, then a row of maps for each stage; or all maps of the one layer."""
    picture = as_picture(image)
    rows = [[Panel(mosaic([picture], 1, max(128, min(256, max(picture.shape[1:])))), answer, name)]]
    if len(maps) == 1:
        layer, values = next(iter(maps.items()))
        rows.append([_all_maps(layer, values)])
        what = f"all maps of {short(layer)}"
    else:
        rows += [[_strongest(layer, values)] for layer, values in maps.items()]
        what = "the feature maps at every stage"
    notes = [
        "Of each stage the units with the largest mean; black is 0 or less, white the largest value of the row."
        if len(maps) > 1
        else "Black is 0 or less, white the largest value of all maps.",
    ]
    sheet = figure(rows, title=f"{on_what(trained)}: {what}", notes=notes)
    return Sheet(f"maps_{number}", sheet, f"What {trained.name} makes of {name}: {what}.")


def _strongest(layer: str, values: Tensor) -> Panel:
    """The maps with the largest means side by side; a dense layer as one row of squares."""
    if values.ndim == 1:
        return _dense(layer, values)
    order = values.mean((1, 2)).argsort(descending=True, stable=True)[:MOST_MAPS]
    most = float(values.max())
    cell = max(SHEET // MOST_MAPS - 2, 1)
    made = mosaic([_enlarged(values[unit], most, cell) for unit in order], len(order), cell)
    words = f"units {', '.join(map(str, order.tolist()))} of {len(values)}; {values.shape[1]}x{values.shape[2]}, white is {most:.3g}"
    return Panel(made, words, short(layer))


def _all_maps(layer: str, values: Tensor) -> Panel:
    if values.ndim == 1:
        return _dense(layer, values)
    shown = values[:MOST_OF_LAYER]
    columns, most = squarish(len(shown)), float(values.max())
    cell = max(SHEET // columns - 2, 8)
    made = mosaic([_enlarged(one, most, cell) for one in shown], columns, cell)
    left_out = f"; the first {len(shown)}" if len(shown) < len(values) else ""
    words = f"{len(values)} units in the order of rows{left_out}; {values.shape[1]}x{values.shape[2]}, white is {most:.3g}"
    return Panel(made, words, short(layer))


def _dense(layer: str, values: Tensor) -> Panel:
    """One square for each unit, in rows."""
    most = float(values.max())
    columns = max(squarish(len(values)), min(len(values), 48))
    made = mosaic([shades(value.view(1, 1), 0, most) for value in values], columns, max(6, min(22, SHEET // columns - 2)))
    return Panel(made, f"{len(values)} units in the order of rows; white is {most:.3g}", short(layer))


def _enlarged(values: Tensor, most: float, cell: int) -> Picture:
    """A map whose points are squares as large as fit; one that is too large is made smaller by means."""
    if max(values.shape) > cell:
        factor = cell / max(values.shape)
        size = [max(1, round(side * factor)) for side in values.shape]
        values = torch.nn.functional.interpolate(values[None, None], size, mode="area")[0, 0]
    return shades(values, 0, most)


def _count(request: Request, pictures: Pictures) -> _Counted:
    """Over the data where there are any, else over the pictures that were named."""
    trained = request.trained
    asked = _data(request)
    activities, calls = _watching(trained, request.layer)
    plan = exact(trained.plan)
    seen = 0
    with torch.inference_mode(), obeying(plan), watched(trained.model, calls):
        if asked is None:
            for shown in pictures:
                forward(trained.model, shown.batch.images, plan)
                seen += len(shown.batch)
        else:
            rows = evenly(asked.rows, request.options.counted)
            request.progress.start("counting active units", len(rows))
            for batch in batches(trained, asked, rows, request.progress):
                forward(trained.model, batch.images, plan)
            seen = len(rows)
            request.progress.done()
    where = "the pictures that were named" if asked is None else f"{asked.material.dataset.name}, {asked.split}"
    return _Counted({name: activity.counts() for name, activity in activities.items()}, seen, where)


def _data(request: Request) -> Asked | None:
    """The data where there are any."""
    try:
        return request.open_data()
    except UsageError:
        if request.pictures:
            return None
        raise


def _watching(trained: Trained, layer: str | None) -> tuple[dict[str, Activity], dict[str, Any]]:
    """For each stage, and each activation function inside, a count, and what feeds it; every call of a function counts together."""
    activities: dict[str, Activity] = {}
    names = _counted_layers(trained) if layer is None else [find_layer(trained, layer)]

    def count(name: str) -> Any:
        def take(output: Tensor) -> None:
            activities.setdefault(name, Activity(_bounds(trained, name))).update(output)

        return take

    return activities, {name: count(name) for name in names}


def _counted_layers(trained: Trained) -> list[str]:
    """Stages and activation functions; a function that ends a stage gives what the stage gives, and is left out."""
    found = []
    for name, module in trained.model.named_modules():
        stage = name.startswith(STAGES) and name.count(".") == 1
        if stage or (is_activation(module) and not name.startswith("auxiliary.") and not _ends_stage(trained, name)):
            found.append(name)
    return found


def _ends_stage(trained: Trained, name: str) -> bool:
    stage = ".".join(name.split(".")[:2])
    if not name.startswith(STAGES) or name == stage:
        return False
    leaves = [inside for inside, module in trained.model.get_submodule(stage).named_modules() if not list(module.children())]
    return f"{stage}.{leaves[-1]}" == name


def _bounds(trained: Trained, name: str) -> tuple[float, float] | None:
    """Of a layer's values: those of its last module, where that is a bounded activation function."""
    inside = [module for _, module in trained.model.get_submodule(name).named_modules() if not list(module.children())]
    return bounds_of(inside[-1]) if inside else None


def _table(counted: _Counted) -> Table:
    headings = ["layer", "units", "dead", "always on", "saturated", "active"]
    rows = [
        [
            short(name),
            f"{len(counts.dead):,}",
            f"{int(counts.dead.sum()):,}",
            f"{int(counts.always_on.sum()):,}",
            "-" if counts.saturated is None else f"{int(counts.saturated.sum()):,}",
            f"{100 * float(counts.active.mean()):.0f} %",
        ]
        for name, counts in counted.layers.items()
    ]
    return Table(f"units over {counted.pictures:,} pictures ({counted.where})", headings, rows, headings[1:])


def _numbers(counts: UnitCounts) -> dict[str, Any]:
    saturated = None if counts.saturated is None else counts.saturated.nonzero().flatten().tolist()
    return {
        "units": len(counts.dead),
        "dead": counts.dead.nonzero().flatten().tolist(),
        "always_on": counts.always_on.nonzero().flatten().tolist(),
        "saturated": saturated,
        "active": float(counts.active.mean()),
    }


def _measured(values: Tensor) -> dict[str, Any]:
    return {"shape": list(values.shape), "largest": float(values.max()), "mean": float(values.mean())}


def _answer(trained: Trained, prediction: Prediction) -> str:
    """The class that the network answers with its probability; "" for another task."""
    if not isinstance(prediction.answer, Label) or prediction.scores is None:
        return ""
    index = prediction.answer.index
    return f"{trained.class_names[index]} {100 * float(prediction.scores[index]):.0f} %"


def _some_layer(trained: Trained) -> str:
    """A layer that may be named: what gives the logits, else the head."""
    names = trained.model.output_layers
    return names[0] if names else "head"


EXAMINATIONS.add(
    "activations",
    Examination(
        activations,
        "feature maps of pictures at every stage, or all of one layer; dead and saturated units counted",
        takes="pictures",
        Options=ActivationsOptions,
        tasks=("classify", "segment", "denoise"),
        layered=True,
    ),
)
