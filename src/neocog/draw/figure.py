"""Pictures of any sizes side by side and below one another, under a title, each with words beneath it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from neocog.draw.canvas import blank, line_height, shorten, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER
from neocog.images import Picture

__all__ = ["Panel", "figure", "in_lines"]

MARGIN, GAP = 20, 24
TITLE, NOTE, CAPTION = 22, 15, 14
NARROWEST = 480


@dataclass(frozen=True)
class Panel:
    """One picture of a figure, shown pixel for pixel.

    Attributes:
        picture: of the size that it is to have.
        caption: words beneath it, as many lines as they need at the picture's width.
        heading: words above it, one line.
    """

    picture: Picture
    caption: str = ""
    heading: str = ""


@dataclass(frozen=True)
class _Placed:
    panel: Panel
    image: Image.Image
    heading: str
    lines: list[str]


def figure(rows: Sequence[Sequence[Panel]], *, title: str, notes: Sequence[str] = ()) -> Picture:
    """Lay panels out in rows, each row flush with the left and with its headings in one line.

    Args:
        rows: from top to bottom; at least one panel in all.
        title: stands above.
        notes: below the title, smaller: scales, counts, what the colours mean.

    Raises:
        ValueError: there is no panel.
    """
    placed = [[_place(panel) for panel in row] for row in rows if row]
    if not placed:
        raise ValueError("expected at least one panel, found none")
    widths = [sum(one.image.width for one in row) + GAP * (len(row) - 1) for row in placed]
    width = max(NARROWEST, text_width(title, TITLE), *widths)
    lines = [line for note in notes for line in in_lines(note, NOTE, width)]
    head = line_height(TITLE) + line_height(NOTE) * len(lines) + GAP
    heights = [_heading(row) + max(one.image.height + _caption(one) for one in row) for row in placed]
    sheet = blank((MARGIN + head + sum(heights) + GAP * (len(heights) - 1) + MARGIN, width + 2 * MARGIN), PAPER)
    write(sheet, (MARGIN, MARGIN), title, TITLE)
    for number, line in enumerate(lines):
        write(sheet, (MARGIN, MARGIN + line_height(TITLE) + 4 + number * line_height(NOTE)), line, NOTE, MUTED)
    y = MARGIN + head
    for row, height in zip(placed, heights, strict=True):
        _paste(sheet, row, y)
        y += height + GAP
    return to_picture(sheet)


def in_lines(text: str, size: int, width: int) -> list[str]:
    """The text in lines that fit a width; breaks of its own are kept, and a word that is too long is shortened."""
    lines: list[str] = []
    for paragraph in text.split("\n") if text else []:
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return [shorten(line, size, width) for line in lines]


def _place(panel: Panel) -> _Placed:
    image = to_image(panel.picture)
    heading = shorten(panel.heading, NOTE, image.width)
    return _Placed(panel, image, heading, in_lines(panel.caption, CAPTION, image.width))


def _heading(row: Sequence[_Placed]) -> int:
    return line_height(NOTE) + 4 if any(one.heading for one in row) else 0


def _caption(one: _Placed) -> int:
    return 4 + line_height(CAPTION) * len(one.lines) if one.lines else 0


def _paste(sheet: Image.Image, row: Sequence[_Placed], y: int) -> None:
    x, below = MARGIN, y + _heading(row)
    for one in row:
        write(sheet, (x, y), one.heading, NOTE, INK)
        sheet.paste(one.image, (x, below))
        for number, line in enumerate(one.lines):
            at = x, below + one.image.height + 4 + number * line_height(CAPTION)
            write(sheet, at, line, CAPTION, INK if number == 0 else MUTED)
        x += one.image.width + GAP
