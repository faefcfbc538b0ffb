"""Curves in a frame with axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from neocog.draw.canvas import blank, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RULE, WRONG, Colour, class_colour
from neocog.draw.palette import RIGHT as FIRST
from neocog.images import Picture

__all__ = ["Axis", "Line", "line_chart"]

WIDTH, HEIGHT = 960, 600  # pixels
LEFT, RIGHT, TOP, BOTTOM = 96, 32, 92, 84
SMOOTH = 2  # drawn this many times as large, and shrunk
TITLE, LABEL = 24, 16
TICKS = 6
GAP = 6  # pixels between two names
LEGEND_GAP = 24
TITLE_END = 58  # pixels from the top
STROKE = 6  # pixels on either side of an interval's end


@dataclass(frozen=True)
class Axis:
    """One of the two axes.

    Attributes:
        label: what is measured, with its unit.
        logarithmic: whether equal steps are equal ratios.
        least, most: the ends; None takes those of the data.
        names: of the horizontal axis, written in place of the numbers 0, 1, 2, ... with the same room for each; () for numbers.
    """

    label: str
    logarithmic: bool = False
    least: float | None = None
    most: float | None = None
    names: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """The value on the scale that is drawn."""
        return math.log10(value) if self.logarithmic else value


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        name: for the legend; "" for none.
        points: x and y, in the order in which they are joined.
        colour: of the curve; None takes dark blue for the first, then the palette's.
        dotted: whether points are drawn beside the line.
        intervals: the least and the most of y at each point, drawn as an upright bar; () for none.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: Colour | None = None
    dotted: bool = False
    intervals: Sequence[tuple[float, float]] = ()


def line_chart(lines: Sequence[Line], *, title: str, x: Axis, y: Axis, marks: Sequence[tuple[float, str]] = ()) -> Picture:
    """Draw curves, with a legend where they have names.

    Args:
        lines: at least one with a point.
        title: above the frame.
        x: the horizontal axis.
        y: the vertical axis.
        marks: values of x that a vertical line is drawn at, each with a word beside it.
    """
    frame = _Frame(x, y, [point for line in lines for point in line.points])
    image = blank((HEIGHT * SMOOTH, WIDTH * SMOOTH), PAPER)
    _draw_grid(image, frame)
    colours = [line.colour or (class_colour(index - 1) if index else FIRST) for index, line in enumerate(lines)]
    for value, _ in marks:
        across = frame.across(value) * SMOOTH
        ImageDraw.Draw(image).line([(across, TOP * SMOOTH), (across, (HEIGHT - BOTTOM) * SMOOTH)], fill=WRONG, width=2 * SMOOTH)
    for line, colour in zip(lines, colours, strict=True):
        _draw_line(image, frame, line, colour)
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    _write_words(image, frame, title)
    for value, word in marks:
        right = frame.across(value) < WIDTH * 0.6
        write(image, (frame.across(value) + (8 if right else -8), TOP + 8), word, LABEL, WRONG, anchor="la" if right else "ra")
    names = [(line.name, colour) for line, colour in zip(lines, colours, strict=True) if line.name]
    return to_picture(_with_legend(image, names, text_width(y.label, LABEL)))


class _Frame:
    """Where values lie on the picture.

    Args:
        x, y: the axes.
        points: all that is to be seen.
    """

    def __init__(self, x: Axis, y: Axis, points: Sequence[tuple[float, float]]) -> None:
        self.x, self.y = x, y
        self._ends = [_ends(axis, [point[index] for point in points]) for index, axis in enumerate((x, y))]

    def across(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self._ends[0]
        return LEFT + (self.x.place(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self._ends[1]
        return HEIGHT - BOTTOM - (self.y.place(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def ticks(self, index: int) -> list[float]:
        """Round values along the axis."""
        axis, (low, high) = (self.x, self.y)[index], self._ends[index]
        if axis.names:
            return [float(number) for number in range(len(axis.names))]
        if axis.logarithmic:
            return [10.0**power for power in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
        step = _round_step((high - low) / TICKS)
        first = math.ceil(low / step - 1e-9)
        return [step * number for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _ends(axis: Axis, values: Sequence[float]) -> tuple[float, float]:
    if axis.names:
        return -0.5, len(axis.names) - 0.5
    low = axis.place(axis.least if axis.least is not None else min(values))
    high = axis.place(axis.most if axis.most is not None else max(values))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _round_step(rough: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _draw_grid(image: Image.Image, frame: _Frame) -> None:
    pen = ImageDraw.Draw(image)
    for value in frame.ticks(0):
        across = frame.across(value) * SMOOTH
        pen.line([(across, TOP * SMOOTH), (across, (HEIGHT - BOTTOM) * SMOOTH)], fill=RULE, width=SMOOTH)
    for value in frame.ticks(1):
        down = frame.down(value) * SMOOTH
        pen.line([(LEFT * SMOOTH, down), ((WIDTH - RIGHT) * SMOOTH, down)], fill=RULE, width=SMOOTH)


def _draw_line(image: Image.Image, frame: _Frame, line: Line, colour: Colour) -> None:
    """A curve; what lies outside of the frame is cut off."""
    layer = image.copy()
    pen = ImageDraw.Draw(layer)
    places = [(frame.across(across) * SMOOTH, frame.down(down) * SMOOTH) for across, down in line.points]
    pen.line(places, fill=colour, width=3 * SMOOTH, joint="curve")
    for (across, _), (least, most) in zip(places, line.intervals, strict=False):
        _draw_interval(pen, across, frame.down(least) * SMOOTH, frame.down(most) * SMOOTH, colour)
    radius = 5 * SMOOTH
    for across, down in places if line.dotted or len(set(places)) == 1 else ():
        pen.ellipse([across - radius, down - radius, across + radius, down + radius], fill=colour)
    inside = (LEFT * SMOOTH - radius, TOP * SMOOTH - radius, (WIDTH - RIGHT) * SMOOTH + radius, (HEIGHT - BOTTOM) * SMOOTH + radius)
    image.paste(layer.crop(inside), inside[:2])


def _draw_interval(pen: ImageDraw.ImageDraw, across: float, lower: float, upper: float, colour: Colour) -> None:
    """An upright bar with a stroke at either end."""
    pen.line([(across, lower), (across, upper)], fill=colour, width=2 * SMOOTH)
    for down in (lower, upper):
        pen.line([(across - STROKE * SMOOTH, down), (across + STROKE * SMOOTH, down)], fill=colour, width=2 * SMOOTH)


def _write_words(image: Image.Image, frame: _Frame, title: str) -> None:
    write(image, (LEFT, 18), title, TITLE, INK)
    for value in frame.ticks(0):
        write(image, (frame.across(value), HEIGHT - BOTTOM + 10), _word(frame.x, value), LABEL, MUTED, anchor="ma")
    for value in frame.ticks(1):
        write(image, (LEFT - 10, frame.down(value)), _number(value), LABEL, MUTED, anchor="rm")
    write(image, ((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 42), frame.x.label, LABEL, INK, anchor="ma")
    write(image, (LEFT, TOP - line_height(LABEL) - 6), frame.y.label, LABEL, INK)


def _with_legend(image: Image.Image, names: Sequence[tuple[str, Colour]], beside: int) -> Image.Image:
    """Names in their colours, at the right above the frame; where they have no room there, in lines of their own under the title.

    Args:
        beside: pixels that the words at the left above the frame take.
    """
    room, row = WIDTH - LEFT - RIGHT, line_height(LABEL) + 4
    lines: list[list[tuple[str, Colour]]] = [[]]
    for name in names:
        if lines[-1] and _width([*lines[-1], name]) > room:
            lines.append([])
        lines[-1].append(name)
    if len(lines) == 1 and _width(names) <= room - beside - LEGEND_GAP:
        _write_names(image, names, WIDTH - RIGHT - _width(names), TOP - line_height(LABEL) - 6)
        return image
    taller = blank((image.height + len(lines) * row, image.width), PAPER)
    taller.paste(image.crop((0, 0, image.width, TITLE_END)), (0, 0))
    taller.paste(image.crop((0, TITLE_END, image.width, image.height)), (0, TITLE_END + len(lines) * row))
    for number, line in enumerate(lines):
        _write_names(taller, line, LEFT, TITLE_END + number * row)
    return taller


def _width(names: Sequence[tuple[str, Colour]]) -> int:
    return sum(text_width(name, LABEL) for name, _ in names) + LEGEND_GAP * (len(names) - 1)


def _write_names(image: Image.Image, names: Sequence[tuple[str, Colour]], across: float, down: float) -> None:
    for name, colour in names:
        write(image, (across, down), name, LABEL, colour)
        across += text_width(name, LABEL) + LEGEND_GAP


def _word(axis: Axis, value: float) -> str:
    """What stands at a tick of the horizontal axis: its name, as far as there is room beside the others, or its number."""
    if not axis.names:
        return _number(value)
    return shorten(axis.names[int(value)], LABEL, (WIDTH - LEFT - RIGHT) // len(axis.names) - GAP)


def _number(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")
    return f"{value:.6g}"
