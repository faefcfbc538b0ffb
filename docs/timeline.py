"""Draws the pictures of timeline.md: what won the ImageNet challenge, and what accuracy costs.

    uv run python docs/timeline.py

The errors are those of data/ilsvrc.csv, each with its source there; accuracies those of the table of published
weights; multiply-adds and parameters are counted in the networks themselves.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from neocog.draw.canvas import blank, line_height, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RIGHT, RULE, WRONG, Colour
from neocog.images import Picture
from neocog.models import all_published_weights, create_model, describe

FOLDER = Path(__file__).parent
IMAGES = FOLDER / "images"
SMOOTH = 3
"""Shapes are drawn this many times as large and shrunk, so that their edges are smooth."""

TITLE, AXIS, LABEL = 30, 20, 15  # height of letters in pixels
RADIUS = 6  # of a point, in pixels
CLOSE = 14  # pixels; a label that is further away has a line to its point
LEGEND = 108  # y of its middle
BEFORE: Colour = (150, 152, 160)  # of what won without convolutional networks
SECOND: Colour = (120, 158, 205)

FAMILIES = {
    "alexnet": "AlexNet",
    "vgg": "VGG",
    "googlenet": "Inception",
    "inception": "Inception",
    "resnet": "ResNet",
    "resnext": "ResNeXt, wide ResNet",
    "wide_resnet": "ResNeXt, wide ResNet",
    "densenet": "DenseNet",
    "squeezenet": "SqueezeNet",
    "mobilenet": "MobileNet",
    "efficientnet": "EfficientNet",
}
"""What a name begins with, and its family."""

COLOURS: dict[str, Colour] = {
    "AlexNet": (24, 24, 28),
    "VGG": (213, 94, 0),
    "Inception": (235, 165, 0),
    "ResNet": (0, 100, 170),
    "ResNeXt, wide ResNet": (86, 180, 233),
    "DenseNet": (0, 158, 115),
    "SqueezeNet": (150, 152, 160),
    "MobileNet": (130, 75, 35),
    "EfficientNet": (196, 96, 158),
}
"""Of the families; told apart by people who see no red or no green, after Okabe and Ito's palette."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


@dataclass(frozen=True)
class Entry:
    """One row of data/ilsvrc.csv."""

    year: int
    name: str
    method: str
    place: str
    top5_error: float
    extra_data_error: float | None
    architecture: str
    source: str


def entries() -> list[Entry]:
    """All rows, in their order."""
    with (FOLDER / "data" / "ilsvrc.csv").open(encoding="utf-8", newline="") as file:
        return [
            Entry(
                int(row["year"]),
                row["entry"],
                row["method"],
                row["place"],
                float(row["top5_error"]),
                float(row["extra_data_error"]) if row["extra_data_error"] else None,
                row["architecture"],
                row["source"],
            )
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class Point:
    """One network with published weights.

    Attributes:
        name: of the architecture.
        family: see `FAMILIES`.
        top1: per cent of ImageNet's validation pictures named rightly.
        parameters: without auxiliary heads, which answer nothing.
        multiply_adds: of one image at the weights' size.
    """

    name: str
    family: str
    top1: float
    parameters: int
    multiply_adds: int


def points() -> list[Point]:
    """One for each architecture whose first published weights are torchvision's for ImageNet."""
    found = []
    for weights in all_published_weights():
        if weights.name != "imagenet" or weights.top1 is None:
            continue
        with torch.device("meta"):
            network = create_model(weights.model, image_size=weights.preprocess.size)
        description = describe(network)
        parameters = sum(row.parameters for row in description.rows if not row.training_only)
        found.append(Point(weights.model, family(weights.model), weights.top1, parameters, description.multiply_adds))
    return found


def family(name: str) -> str:
    """Whose colour a network has."""
    return next(title for start, title in FAMILIES.items() if name.startswith(start))


class Plot:
    """A sheet with two axes; places are given in the axes' units.

    Args:
        title: stands above.
        note: the line under the title.
        x: the horizontal range; `log` makes its steps equal ratios.
        y: the vertical range.
    """

    def __init__(self, title: str, note: str, x: tuple[float, float], y: tuple[float, float], *, log: bool = False) -> None:
        self.sheet = blank((800, 1280), PAPER)
        self.area: Box = (100, 135, 1255, 715)
        self.x, self.y, self.log = x, y, log
        self.shapes: list[Callable[[ImageDraw.ImageDraw], None]] = []
        self.texts: list[Callable[[], None]] = []
        self.text((self.area[0], 18), title, TITLE)
        self.text((self.area[0], 62), note, AXIS - 2, MUTED)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point of the axes."""
        left, top, right, bottom = self.area
        low, high, value = (math.log(v) for v in (*self.x, x)) if self.log else (*self.x, x)
        return left + (value - low) / (high - low) * (right - left), bottom - (y - self.y[0]) / (self.y[1] - self.y[0]) * (bottom - top)

    def text(self, place: tuple[float, float], text: str, size: int, colour: Colour = INK, anchor: str = "la") -> None:
        """Write one line, above all shapes."""
        self.texts.append(lambda: write(self.sheet, place, text, size, colour, anchor))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour, width: float = 1) -> None:
        """Draw a line between two places in pixels."""
        ends = [SMOOTH * value for value in (*start, *end)]
        self.shapes.append(lambda draw: draw.line(ends, fill=colour, width=round(SMOOTH * width)))

    def box(self, box: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        self.shapes.append(lambda draw: draw.rectangle([SMOOTH * value for value in box], fill=colour))

    def dot(self, place: tuple[float, float], radius: float, colour: Colour) -> None:
        """Draw a disc with a rim of paper."""
        for size, fill in ((radius + 1.5, PAPER), (radius, colour)):
            box = [SMOOTH * (value + sign * size) for sign in (-1, 1) for value in place]
            self.shapes.append(lambda draw, box=box, fill=fill: draw.ellipse(box, fill=fill))

    def rows(self, values: Sequence[float], unit: str) -> None:
        """Rule the vertical axis."""
        for value in values:
            _, y = self.place(self.x[0], value)
            self.line((self.area[0], y), (self.area[2], y), RULE)
            self.text((self.area[0] - 12, y), f"{value:g}{unit}", AXIS, MUTED, "rm")

    def columns(self, values: Sequence[float], title: str) -> None:
        """Rule the horizontal axis, and say what it is."""
        for value in values:
            x, _ = self.place(value, self.y[0])
            self.line((x, self.area[1]), (x, self.area[3]), RULE)
            self.text((x, self.area[3] + 8), f"{value:g}", AXIS, MUTED, "ma")
        self.text(((self.area[0] + self.area[2]) / 2, self.area[3] + 42), title, AXIS, INK, "ma")

    def picture(self) -> Picture:
        """All shapes, smooth, and all texts above them."""
        large = self.sheet.resize((SMOOTH * self.sheet.width, SMOOTH * self.sheet.height))
        draw = ImageDraw.Draw(large)
        for shape in self.shapes:
            shape(draw)
        self.sheet.paste(large.resize(self.sheet.size, Image.Resampling.LANCZOS))
        for text in self.texts:
            text()
        return to_picture(self.sheet)


def winners(rows: Sequence[Entry]) -> Picture:
    """A bar for each winner and for VGG, and a line at what a person managed."""
    person = next(row for row in rows if row.name == "one person").top5_error
    bars = [row for row in rows if row.place == "1" or row.name == "VGG"]
    note = "Per cent of test pictures whose class was not among five answers, trained on the contest's pictures alone"
    plot = Plot("ImageNet challenge: top-5 error of the winners", note, (0, len(bars)), (0, 30))
    plot.rows(range(0, 31, 5), " %")
    for number, row in enumerate(bars):
        left, top = plot.place(number + 0.14, row.top5_error)
        right, bottom = plot.place(number + 0.86, 0)
        middle = (left + right) / 2
        plot.box((left, top, right, bottom), BEFORE if row.year < 2012 else RIGHT if row.place == "1" else SECOND)
        plot.text((middle, top - 6), f"{row.top5_error:.3g}", AXIS + 4, INK, "mb")
        plot.text((middle, bottom + 8), str(row.year), AXIS, INK, "ma")
        plot.text((middle, bottom + 36), row.name, LABEL + 1, MUTED, "ma")
        if row.extra_data_error is not None:
            _, y = plot.place(number, row.extra_data_error)
            plot.line((left, y), (right, y), PAPER, 2.5)
            plot.text((middle, y + 10), f"{row.extra_data_error:g} with", LABEL + 1, PAPER, "ma")
            plot.text((middle, y + 10 + line_height(LABEL + 1)), "extra data", LABEL + 1, PAPER, "ma")
    _, y = plot.place(0, person)
    for x in range(int(plot.area[0]), int(plot.area[2]), 16):
        plot.line((x, y), (min(x + 9, plot.area[2]), y), WRONG, 2.5)
    plot.text((plot.area[2], y - 6), f"one trained person: {person:g} %", AXIS, WRONG, "rb")
    _legend(plot, {"descriptors and linear classifiers": BEFORE, "convolutional networks": RIGHT, "likewise, second place": SECOND})
    return plot.picture()


def scatter(found: Sequence[Point], value: Callable[[Point], float], title: str, axis: str, x: tuple[float, float]) -> Picture:
    """Accuracy against one value of each network, both axes named, every point labelled.

    Args:
        found: the points.
        value: what stands on the horizontal axis, in its unit.
        title: stands above.
        axis: names the horizontal axis.
        x: its range.
    """
    note = "Top-1 on ImageNet's validation pictures, one centre crop; torchvision's first weights for each network"
    plot = Plot(title, note, x, (54, 88), log=True)
    plot.rows(range(55, 90, 5), " %")
    steps = [step * 10.0**power for power in range(-3, 4) for step in (1, 2, 5)]
    plot.columns([step for step in steps if x[0] <= step <= x[1]], axis)
    places = {point.name: plot.place(value(point), point.top1) for point in found}
    for point in found:
        plot.dot(places[point.name], RADIUS, COLOURS[point.family])
    for name, box in label_boxes(places, LABEL, plot.area).items():
        if math.dist(_nearest(box, places[name]), places[name]) > CLOSE:
            plot.line(places[name], _nearest(box, places[name]), MUTED)
        plot.text((box[0], box[1]), name, LABEL, INK)
    _legend(plot, COLOURS)
    return plot.picture()


def label_boxes(places: dict[str, tuple[float, float]], size: int, area: Box) -> dict[str, Box]:
    """Where the label of each point stands: inside the area, on no point, on no other label and no line to one.

    Labels go from the crowded points to the lonely ones, each to the first free place of rings around its point.

    Args:
        places: pixels of each point, by label.
        size: of the letters.
        area: where labels may stand.

    Raises:
        ValueError: there is no room for one.
    """

    def crowd(name: str) -> int:
        return sum(math.dist(places[name], other) < 80 for other in places.values())

    boxes: dict[str, Box] = {}
    lines: list[Box] = []
    for name in sorted(places, key=lambda name: (-crowd(name), name)):
        here = places[name]
        points = [_square(place, RADIUS) for place in places.values()]
        apart = [_square(place, RADIUS) for place in places.values() if math.dist(place, here) > 2 * RADIUS]
        for box in _around(here, text_width(name, size), line_height(size)):
            line = _line(here, _nearest(box, here))
            if _inside(box, area) and _free([box], [*points, *boxes.values(), *lines]) and _free(line, [*apart, *boxes.values(), *lines]):
                boxes[name] = box
                lines += line
                break
        else:
            raise ValueError(f"no room for the label {name}")
    return boxes


def _square(place: tuple[float, float], half: float) -> Box:
    return place[0] - half, place[1] - half, place[0] + half, place[1] + half


def _line(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """Squares along the line from a point to its label, if there is one."""
    length = math.dist(start, end)
    if length <= CLOSE:
        return []
    steps = [along / length for along in range(RADIUS + 5, int(length), 3)]
    return [_square((start[0] + step * (end[0] - start[0]), start[1] + step * (end[1] - start[1])), 2) for step in steps]


def _around(place: tuple[float, float], width: float, height: float) -> list[Box]:
    boxes = []
    for gap in range(0, 160, 6):
        for turn in (0, 16, 8, 24, 4, 28, 12, 20, *range(1, 32, 2), 2, 6, 10, 14, 18, 22, 26, 30):
            angle = math.pi * turn / 16
            x = place[0] + math.cos(angle) * (11 + gap + width / 2)
            y = place[1] - math.sin(angle) * (10 + gap + height / 2)
            boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return boxes


def _inside(box: Box, area: Box) -> bool:
    return box[0] > area[0] and box[1] > area[1] and box[2] < area[2] and box[3] < area[3]


def _free(wanted: Sequence[Box], taken: Sequence[Box]) -> bool:
    """Whether none lies on another."""
    return not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a in wanted for b in taken)


def _nearest(box: Box, place: tuple[float, float]) -> tuple[float, float]:
    return min(max(place[0], box[0]), box[2]), min(max(place[1], box[1]), box[3])


def _legend(plot: Plot, colours: dict[str, Colour]) -> None:
    """In one line above the area."""
    x = plot.area[0] + RADIUS
    for name, colour in colours.items():
        plot.dot((x, LEGEND), RADIUS, colour)
        plot.text((x + 13, LEGEND), name, LABEL + 1, INK, "lm")
        x += text_width(name, LABEL + 1) + 40


def main() -> None:
    """Draw all three."""
    found = points()
    cost = scatter(
        found,
        lambda point: point.multiply_adds / 1e9,
        "Accuracy against cost",
        "multiply-adds of one image, in thousand millions",
        (0.04, 60),
    )
    size = scatter(found, lambda point: point.parameters / 1e6, "Accuracy against size", "parameters, in millions", (1, 200))
    for name, picture in (("winners", winners(entries())), ("cost", cost), ("size", size)):
        to_image(picture).save(IMAGES / f"timeline-{name}.png", optimize=True)
        print(IMAGES / f"timeline-{name}.png")


if __name__ == "__main__":
    main()
