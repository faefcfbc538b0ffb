"""`activation_maximisation`: pictures made from noise that classes, or units of a layer, answer to most."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.batch import Batch
from neocog.draw.figure import Panel, figure
from neocog.draw.line_chart import Axis, Line, line_chart
from neocog.draw.mosaic import cell_for, mosaic, squarish
from neocog.engine import obeying
from neocog.errors import UsageError
from neocog.examine.layers import find_layer
from neocog.examine.member import EXAMINATIONS, Examination, Findings, Request, Sheet, Table
from neocog.examine.units import as_picture, chosen_units, exact, image_shape, on_what, short
from neocog.explain.activation_maximisation import ActivationMaximisationOptions, Climb, maximise
from neocog.explain.activations import watched
from neocog.explain.gradient import at_once
from neocog.objective import Objective
from neocog.options import check, option
from neocog.random import generator
from neocog.run import Trained

__all__ = ["MaximisationOptions", "activation_maximisation"]

MOST_SHOWN, CELL = 16, 224


@dataclass(frozen=True)
class MaximisationOptions(ActivationMaximisationOptions):
    """What can be chosen."""

    units: tuple[int, ...] = option((), "units of the layer, or classes by their number, from 0; the first ones by themselves", low=0)

    def __post_init__(self) -> None:
        check(self)


class _Goals(NamedTuple):
    """What is climbed.

    Attributes:
        layer: dotted name; None for the classes' scores.
        units: of the layer, or classes.
        names: of them, for the sheet.
    """

    layer: str | None
    units: list[int]
    names: list[str]


def activation_maximisation(request: Request) -> Findings:
    """See Examination.

    Raises:
        UsageError: a layer, unit or class that there is not, a class and a layer together, or no classes and no layer.
    """
    trained, options = request.trained, request.options
    objective = _objective(trained)
    goals = _goals(request, objective)
    shape = image_shape(trained)
    climbs: list[Climb] = []
    request.progress.start("climbing", len(goals.units))
    for part in _parts(goals.units, shape):
        with obeying(exact(trained.plan)):
            draws = generator(request.seed, "activation maximisation", 0, *part)
            score = _score(trained, objective, goals.layer, part)
            climbs.append(maximise(score, (len(part), *shape), options, generator=draws, device=trained.plan.device))
        request.progress.advance(len(part))
    request.progress.done()
    images = torch.cat([climb.images for climb in climbs])
    before, scores = (torch.cat([getattr(climb, name) for climb in climbs]) for name in ("before", "scores"))
    course = torch.stack([climb.course for climb in climbs]).mean(0)
    confidences = _confidences(trained, objective, images, goals)
    rows = [
        {"unit": unit, "name": name, "before": float(low), "after": float(high), "confidence": sure}
        for unit, name, low, high, sure in zip(goals.units, goals.names, before, scores, confidences, strict=True)
    ]
    facts = {"layer": None if goals.layer is None else short(goals.layer), **asdict(options), "units": rows}
    sheets = [_sheet(trained, goals, images, rows, options), _course_sheet(trained, goals, course)]
    arrays = {"images": images.numpy(), "course": course.numpy()} if request.arrays else {}
    return Findings(facts, sheets, [_table(goals, rows)], _lines(rows), arrays)


def _lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    still = [row["name"] for row in rows if row["before"] == row["after"]]
    return [f"not moved: {', '.join(still)}; a rectifier that is shut on the first picture has no gradient"] if still else []


def _objective(trained: Trained) -> Objective:
    """The network's scores; no picture has a target."""
    channels, *size = image_shape(trained)
    blank = torch.zeros(1, channels, *size, device=trained.plan.device)
    whole = torch.tensor([size], dtype=torch.int64)
    return trained.task.objective(trained.model, Batch(blank, None, torch.zeros(1, dtype=torch.int64), whole, torch.eye(3)[None]))


def _goals(request: Request, objective: Objective) -> _Goals:
    """The class that was named, else the units that were, else the first units of the layer, else the first classes."""
    trained, asked = request.trained, request.options.units
    if request.layer is not None:
        if request.about is not None:
            raise UsageError("a layer or a class to climb", "both", "leave --layer or --class away")
        layer = find_layer(trained, request.layer)
        units = chosen_units(asked, _units_of(trained, objective, layer), MOST_SHOWN)
        return _Goals(layer, units, [f"unit {unit}" for unit in units])
    if trained.task_name != "classify":
        raise UsageError("a layer whose units are climbed", f"none, and {trained.name} has no classes", "name one, as --layer")
    classes = [request.about] if request.about is not None else chosen_units(asked, len(trained.class_names), MOST_SHOWN)
    return _Goals(None, classes, [trained.class_names[index] for index in classes])


def _units_of(trained: Trained, objective: Objective, layer: str) -> int:
    """How many channels a layer's output has."""
    found: list[int] = []
    channels, *size = image_shape(trained)
    with torch.no_grad(), watched(trained.model, {layer: lambda output: found.append(output.shape[1])}):
        objective.scores(torch.zeros(1, channels, *size, device=trained.plan.device))
    if not found:
        raise UsageError("a layer that takes part in the answer", short(layer), "choose another")
    return found[0]


def _parts(units: Sequence[int], shape: tuple[int, int, int]) -> list[list[int]]:
    """As many at a time as pass through the network together."""
    size = at_once(torch.empty(1, *shape, device="meta"))
    return [list(units[start : start + size]) for start in range(0, len(units), size)]


def _score(trained: Trained, objective: Objective, layer: str | None, units: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """For each image that of its own unit: the mean of its map, or its number; or the score of its class."""
    own = torch.tensor(units, device=trained.plan.device)

    def of_classes(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n"]:
        return objective.scores(images).gather(1, own[:, None])[:, 0]

    def of_units(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n"]:
        found: list[Tensor] = []

        def take(output: Tensor) -> None:
            chosen = output[torch.arange(len(own), device=output.device), own]
            found.append(chosen.flatten(1).mean(1) if chosen.ndim > 1 else chosen)

        with watched(trained.model, {str(layer): take}):
            objective.scores(images)
        return found[0].float()

    return of_classes if layer is None else of_units


def _confidences(trained: Trained, objective: Objective, images: Tensor, goals: _Goals) -> list[float | None]:
    """How sure the network is of the class that was climbed; None for units."""
    if goals.layer is not None:
        return [None] * len(images)
    found: list[float | None] = []
    with torch.no_grad(), obeying(exact(trained.plan)):
        for image, index in zip(images, goals.units, strict=True):
            scores = objective.scores(image[None].to(trained.plan.device))
            found.append(float(scores.softmax(1)[0, index]))
    return found


def _sheet(trained: Trained, goals: _Goals, images: Tensor, rows: Sequence[dict[str, Any]], options: MaximisationOptions) -> Sheet:
    columns = min(squarish(len(images)), 4)
    panels, cell = [], cell_for(max(images.shape[2:]), CELL)
    for image, row in zip(images, rows, strict=True):
        sure = "" if row["confidence"] is None else f"\n{100 * row['confidence']:.1f} % sure"
        words = f"score from {row['before']:.3g} to {row['after']:.3g}{sure}"
        panels.append(Panel(mosaic([as_picture(image)], 1, cell), words, row["name"]))
    what = "classes" if goals.layer is None else f"units of {short(goals.layer)}"
    notes = [
        f"Made from noise by {options.steps} steps of gradient ascent ({options.basis} basis), "
        f"shifted by up to {options.jitter} pixels in each; penalty on high frequencies {options.penalty:g}."
    ]
    grid = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    title = f"What {what} of {on_what(trained)} answer to most"
    return Sheet("pictures", figure(grid, title=title, notes=notes), f"Pictures that {what} answer to most.")


def _course_sheet(trained: Trained, goals: _Goals, course: Tensor) -> Sheet:
    """How the score rose."""
    points = [(float(step), value) for step, value in enumerate(course.tolist())]
    what = "score of the class" if goals.layer is None else "activation of the unit"
    title = f"{on_what(trained)}: the ascent"
    chart = line_chart([Line("", points)], title=title, x=Axis("step"), y=Axis(f"mean {what}, as shifted"))
    return Sheet("ascent", chart, "The mean score at each step.")


def _table(goals: _Goals, rows: Sequence[dict[str, Any]]) -> Table:
    sure = goals.layer is None
    headings = ["unit" if goals.layer else "class", "of noise", "of the picture", *(["sure"] if sure else [])]
    cells = [[row["name"], f"{row['before']:.4g}", f"{row['after']:.4g}"] for row in rows]
    if sure:
        cells = [[*cell, f"{100 * row['confidence']:.1f} %"] for cell, row in zip(cells, rows, strict=True)]
    return Table("scores", headings, cells, headings[1:])


EXAMINATIONS.add(
    "activation_maximisation",
    Examination(
        activation_maximisation,
        "pictures made from noise that a class, or a unit of a layer, answers to most",
        takes="nothing",
        Options=MaximisationOptions,
        tasks=("classify", "segment", "denoise"),
        layered=True,
        gradient=True,
        source="K. Simonyan, A. Vedaldi, A. Zisserman, Deep Inside Convolutional Networks, 2013, https://arxiv.org/abs/1312.6034; "
        "C. Olah, A. Mordvintsev, L. Schubert, Feature Visualization, Distill 2017, https://doi.org/10.23915/distill.00007",
    ),
)
