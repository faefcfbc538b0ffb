"""Many pictures on one sheet, each with its caption."""

import math
from collections.abc import Sequence

from PIL import Image

from neocog.draw.canvas import blank, fit_into, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER
from neocog.images import Picture

__all__ = ["contact_sheet"]

MARGIN = 16
GAP = 12
CAPTION = 13
CAPTION_GAP = 4
TITLE = 20


def contact_sheet(
    pictures: Sequence[Picture], captions: Sequence[str] = (), columns: int | None = None, title: str = "", cell: int = 160
) -> Picture:
    """Lay pictures out in rows, from left to right.

    Args:
        pictures: of any sizes and kinds, at least one.
        captions: one under each picture, of one or more lines; or none at all.
        columns: how many stand in a row; as many as make the sheet about square, where not given.
        title: stands above.
        cell: side in pixels of the square that each picture is fitted into.

    Raises:
        ValueError: there is no picture, or the captions are not as many as the pictures.
    """
    if not pictures or (captions and len(captions) != len(pictures)):
        raise ValueError(f"expected pictures with a caption each or none, found {len(pictures)} pictures and {len(captions)} captions")
    columns = min(columns or _square(len(pictures)), len(pictures))
    images = [fit_into(picture, (cell, cell)) for picture in pictures]
    lines = [caption.split("\n") for caption in captions] or [[] for _ in pictures]
    rows = [range(start, min(start + columns, len(images))) for start in range(0, len(images), columns)]
    heads = [max(images[i].height for i in row) for row in rows]
    feet = [CAPTION_GAP + line_height(CAPTION) * max(len(lines[i]) for i in row) if captions else 0 for row in rows]
    y = MARGIN + (line_height(TITLE) + GAP if title else 0)
    height = y + sum(heads) + sum(feet) + GAP * (len(rows) - 1) + MARGIN
    width = 2 * MARGIN + max(columns * cell + (columns - 1) * GAP, text_width(title, TITLE))
    sheet = blank((height, width), PAPER)
    write(sheet, (MARGIN, MARGIN), title, TITLE)
    for row, head, foot in zip(rows, heads, feet, strict=True):
        for column, i in enumerate(row):
            x = MARGIN + column * (cell + GAP)
            sheet.paste(images[i], (x, y + head - images[i].height))  # low in its row, so that the caption is near
            _caption(sheet, (x, y + head + CAPTION_GAP), lines[i], cell)
        y += head + foot + GAP
    return to_picture(sheet)


def _square(count: int) -> int:
    """Columns that make a sheet a little wider than high."""
    return max(1, round(math.sqrt(1.4 * count)))


def _caption(sheet: Image.Image, place: tuple[int, int], lines: Sequence[str], width: int) -> None:
    for number, line in enumerate(lines):
        at = place[0], place[1] + number * line_height(CAPTION)
        write(sheet, at, shorten(line, CAPTION, width), CAPTION, INK if number == 0 else MUTED)
