"""`receptive_field`: what units see of a picture, by kernels and strides, and by the gradient of what they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from torch import Tensor

from neocog.draw.figure import Panel, figure
from neocog.draw.heat_map import SCALE, heat_map
from neocog.draw.palette import RIGHT, WRONG, Colour
from neocog.draw.windows import Outline, draw_windows
from neocog.engine import feature_maps, forward, obeying
from neocog.errors import UsageError
from neocog.examine.layers import find_layer
from neocog.examine.member import EXAMINATIONS, Examination, Findings, Request, Sheet, Table
from neocog.examine.pictures import Pictures
from neocog.examine.units import as_picture, exact, maps_of, on_what, reach_of, short
from neocog.explain.receptive_field import MOST, Point, Probed, probe
from neocog.explain.top_patches import Window, window_of
from neocog.options import check, option
from neocog.random import generator
from neocog.run import Trained

__all__ = ["ReceptiveFieldOptions", "receptive_field"]

STAGES = "stages."
A_ROW, SIDE = 4, 256
INNER: Colour = (0, 138, 90)


@dataclass(frozen=True)
class ReceptiveFieldOptions:
    """What can be chosen."""

    row: int | None = option(None, "row of the unit in the layer's map, from 0; the middle by itself", low=0)
    column: int | None = option(None, "column of the unit in the layer's map, from 0; the middle by itself", low=0)
    copies: int = option(16, "copies of the picture whose gradients are put together, all but the first with noise", low=1)

    def __post_init__(self) -> None:
        check(self)


class _Seen(NamedTuple):
    """One layer's unit: what it can see, and what it was found to."""

    point: Point
    map_size: tuple[int, int]
    stride: int
    probed: Probed
    clipped: Window

    @property
    def inside(self) -> bool:
        """Whether all that was found lies within what kernels and strides allow."""
        found, can = self.probed.support, self.clipped
        if found is None:
            return True
        return found.top >= can.top and found.left >= can.left and found.bottom <= can.bottom and found.right <= can.right


def receptive_field(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a layer or a place of its map that there is not, or a layer whose receptive field is not known.
    """
    trained = request.trained
    layers = [STAGES + name for name in trained.model.stages] if request.layer is None else [find_layer(trained, request.layer)]
    shown = next(iter(Pictures(request, most=1)))
    image, name = next(islice(zip(shown.batch.images, shown.names, strict=True), 1))
    request.progress.start("probing receptive fields", len(layers))
    seen = []
    for layer in layers:
        seen.append(_look(request, image, layer))
        request.progress.advance(1, short(layer))
    request.progress.done()
    facts = {"picture": name, "image": list(image.shape[1:]), "layers": [_facts(one) for one in seen]}
    arrays = {short(one.point.layer): one.probed.field.numpy() for one in seen} if request.arrays else {}
    return Findings(facts, [_sheet(request, image, name, seen)], [_table(seen)], _lines(seen), arrays)


def _look(request: Request, image: Tensor, layer: str) -> _Seen:
    """The unit that was asked for, or the one in the middle of the layer's map."""
    trained, options = request.trained, request.options
    reach = reach_of(trained, layer)
    maps = maps_of(trained, image[None], layer)
    height, width = (maps.shape[2], maps.shape[3]) if maps.ndim == 4 else (1, 1)
    row = height // 2 if options.row is None else options.row
    column = width // 2 if options.column is None else options.column
    if row >= height or column >= width:
        raise UsageError(f"a place within {short(layer)}, {height}x{width}", f"row {row}, column {column}", "choose another")
    point = Point(layer, row, column, window_of(reach, row, column))
    with obeying(exact(trained.plan)):
        draws = generator(request.seed, "receptive field", 0)
        found = probe(trained.model, partial(_run, trained, layer), image, point=point, copies=options.copies, generator=draws)
    return _Seen(point, (height, width), reach.stride, found, point.window.within(*image.shape[1:]))


def _run(trained: Trained, layer: str, images: Tensor) -> object:
    """As far as the layer's stage, or to the answer."""
    plan = exact(trained.plan)
    if layer.startswith(STAGES):
        return feature_maps(trained.model, images, plan, [layer.split(".")[1]])
    return forward(trained.model, images, plan)


def _sheet(request: Request, image: Tensor, name: str, seen: Sequence[_Seen]) -> Sheet:
    """For each layer the picture with both rectangles, over the strength of the gradient."""
    picture = as_picture(image)
    panels = []
    for one in seen:
        field = heat_map(picture, one.probed.field)
        outlines = [Outline(*one.point.window, RIGHT, f"can see {_words(one.point.window)}", 5)]
        if one.probed.support is not None:
            outlines.append(Outline(*one.probed.support, WRONG, f"depends on {_words(one.probed.support)}"))
        if one.probed.effective is not None:
            outlines.append(Outline(*one.probed.effective, INNER, f"{100 * MOST:.0f} % of it in {_words(one.probed.effective)}"))
        where = f"{short(one.point.layer)}, row {one.point.row}, column {one.point.column}"
        panels.append(Panel(draw_windows(field, outlines, SIDE), heading=where))
    rows = [panels[start : start + A_ROW] for start in range(0, len(panels), A_ROW)]
    notes = [
        f"{name}, {image.shape[1]}x{image.shape[2]} pixels. Can see: by kernels and strides. Depends on: where the gradient of the layer's "
        f"answers at that place is not 0, over {request.options.copies} copies with noise.",
        f"Colours: the gradient's strength; {SCALE}.",
    ]
    title = f"What units of {on_what(request.trained)} see"
    return Sheet("fields", figure(rows, title=title, notes=notes), "What a unit of each layer can see, and what it depends on.")


def _table(seen: Sequence[_Seen]) -> Table:
    headings = ["layer", "map", "stride", "can see", "on the picture", "depends on", f"{100 * MOST:.0f} % of it in"]
    rows = [
        [
            short(one.point.layer),
            "x".join(map(str, one.map_size)),
            str(one.stride),
            _words(one.point.window),
            _words(one.clipped),
            _words(one.probed.support),
            _words(one.probed.effective),
        ]
        for one in seen
    ]
    return Table("receptive fields in pixels, height x width", headings, rows, headings[1:])


def _lines(seen: Sequence[_Seen]) -> list[str]:
    beyond = [short(one.point.layer) for one in seen if not one.inside]
    if not beyond:
        return []
    words = "a factor from the whole picture (squeeze and excitation) is not counted"
    return [f"more than kernels and strides allow: {', '.join(beyond)}; {words}"]


def _facts(one: _Seen) -> dict[str, Any]:
    return {
        "layer": short(one.point.layer),
        "place": [one.point.row, one.point.column],
        "map": list(one.map_size),
        "stride": one.stride,
        "analytic": list(one.point.window),
        "analytic_size": list(_size(one.point.window)),
        "on_picture": list(one.clipped),
        "probed": None if one.probed.support is None else list(one.probed.support),
        "probed_size": None if one.probed.support is None else list(_size(one.probed.support)),
        "effective": None if one.probed.effective is None else list(one.probed.effective),
        "inside": one.inside,
    }


def _size(window: Window) -> tuple[int, int]:
    return window.bottom - window.top, window.right - window.left


def _words(window: Window | None) -> str:
    return "nothing" if window is None else "x".join(map(str, _size(window)))


EXAMINATIONS.add(
    "receptive_field",
    Examination(
        receptive_field,
        "what a unit of each stage sees of a picture: by kernels and strides, and by its gradient",
        takes="pictures",
        Options=ReceptiveFieldOptions,
        tasks=("classify", "segment", "denoise"),
        layered=True,
        gradient=True,
        stages=True,
        source="A. Araujo, W. Norris, J. Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, "
        "https://doi.org/10.23915/distill.00021; W. Luo et al., Understanding the Effective Receptive Field, 2017, "
        "https://arxiv.org/abs/1701.04128",
    ),
)
