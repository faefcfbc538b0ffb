"""The confusion matrix as a heat map: how the pictures of each class were answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Int
from PIL import Image, ImageDraw
from torch import Tensor

from neocog.draw.canvas import blank, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RIGHT, WRONG, ink_on, shade
from neocog.images import Picture

__all__ = ["confusion_matrix"]

MARGIN = 20
TITLE = 20
AXIS = 14
LONGEST_NAME = 180
MOST_COUNTED = 30
"""Up to so many classes the cells are large enough for numbers."""


@dataclass(frozen=True)
class _Layout:
    cell: int  # side of a cell
    names: int  # size of the class names' letters
    count: int  # number of classes
    left: int  # x of the first cell
    top: int  # y of the first cell


def confusion_matrix(matrix: Int[Tensor, "k k"], class_names: Sequence[str], title: str = "Confusion matrix") -> Picture:
    """Draw a confusion matrix; each cell's shade is its share of its row, blue where right and red where wrong.

    Args:
        matrix: how many pictures of the class of the row were answered with the class of the column.
        class_names: one for each row and column.
        title: stands above.

    Raises:
        ValueError: names and rows differ in number.
    """
    if len(matrix) != len(class_names):
        raise ValueError(f"expected {len(matrix)} class names, found {len(class_names)}")
    counts = [[int(value) for value in row] for row in matrix.tolist()]
    layout = _lay_out(counts, class_names)
    side = layout.cell * layout.count
    width = max(layout.left + side + MARGIN, 2 * MARGIN + text_width(title, TITLE), 2 * MARGIN + text_width(_caption(counts), AXIS))
    sheet = blank((layout.top + side + MARGIN, width), PAPER)
    write(sheet, (MARGIN, MARGIN), title, TITLE)
    write(sheet, (MARGIN, MARGIN + line_height(TITLE) + 2), _caption(counts), AXIS, MUTED)
    _cells(sheet, counts, layout)
    _names(sheet, class_names, layout)
    return to_picture(sheet)


def _caption(counts: list[list[int]]) -> str:
    total, right = sum(map(sum, counts)), sum(row[i] for i, row in enumerate(counts))
    share = f", {100 * right / total:.2f} % right" if total else ""
    return f"{total:,} pictures{share} · rows: true class · columns: answer"


def _lay_out(counts: list[list[int]], class_names: Sequence[str]) -> _Layout:
    count = len(counts)
    names = 14 if count <= MOST_COUNTED else 11
    widest_count = max(text_width(f"{value:,}", 13) for row in counts for value in row)
    cell = max(48 if count <= 10 else 30, widest_count + 10) if count <= MOST_COUNTED else line_height(names)
    room = min(LONGEST_NAME, max(text_width(name, names) for name in class_names)) + 8
    head = MARGIN + (line_height(TITLE) + 2) + line_height(AXIS) + 10
    return _Layout(cell, names, count, MARGIN + room, head + room)


def _cells(sheet: Image.Image, counts: list[list[int]], layout: _Layout) -> None:
    draw = ImageDraw.Draw(sheet)
    for row, values in enumerate(counts):
        total = sum(values)
        for column, value in enumerate(values):
            x, y = layout.left + column * layout.cell, layout.top + row * layout.cell
            colour = shade(value / total if total else 0.0, RIGHT if row == column else WRONG)
            draw.rectangle((x, y, x + layout.cell - 2, y + layout.cell - 2), fill=colour)
            if layout.count <= MOST_COUNTED and value:
                middle = x + layout.cell / 2 - 1, y + layout.cell / 2 - 1
                write(sheet, middle, f"{value:,}", 13, ink_on(colour), anchor="mm")


def _names(sheet: Image.Image, class_names: Sequence[str], layout: _Layout) -> None:
    """Those of the rows flush right beside them, those of the columns turned by a quarter above them."""
    for i, name in enumerate(class_names):
        text = shorten(name, layout.names, LONGEST_NAME)
        middle = layout.top + (i + 0.5) * layout.cell
        write(sheet, (layout.left - 8, middle), text, layout.names, INK, anchor="rm")
        label = blank((layout.cell, text_width(text, layout.names) + 2), PAPER)
        write(label, (0, layout.cell / 2), text, layout.names, INK, anchor="lm")
        turned = label.transpose(Image.Transpose.ROTATE_90)
        sheet.paste(turned, (layout.left + i * layout.cell, layout.top - 8 - turned.height))
