"""Pictures in rows and columns, with words above the columns and beside the rows: how several views of each of several things compare."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from neocog.draw.canvas import blank, fit_into, line_height, shorten, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER
from neocog.images import Picture

__all__ = ["Row", "picture_table"]

MARGIN, GAP = 20, 14
TITLE, HEAD, TEXT = 22, 16, 13
LINE_GAP = 4


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        pictures: one for each column.
        words: lines beneath the first picture, the first of them in full ink.
    """

    pictures: Sequence[Picture]
    words: Sequence[str] = ()


def picture_table(
    rows: Sequence[Row],
    heads: Sequence[Sequence[str]],
    *,
    title: str,
    foot: Sequence[Picture | str] = (),
    cell: int = 224,
    abreast: int = 1,
) -> Picture:
    """Lay rows of pictures out under the heads of their columns.

    Args:
        rows: at least one, each with as many pictures as there are heads.
        heads: lines above each column, the first of them in full ink.
        title: above all.
        foot: pictures and lines of words below.
        cell: side in pixels of the square that each picture is fitted into.
        abreast: how many rows stand beside one another, each under its own heads.

    Raises:
        ValueError: no rows, or one that has not a picture for each column.
    """
    if not rows or any(len(row.pictures) != len(heads) for row in rows):
        raise ValueError(f"expected rows of {len(heads)} pictures, found {[len(row.pictures) for row in rows]}")
    abreast = min(abreast, len(rows))
    block = len(heads) * (cell + GAP) + GAP  # a wider gap parts blocks
    bands = [rows[start : start + abreast] for start in range(0, len(rows), abreast)]
    feet = [_foot(one) for one in foot]
    width = 2 * MARGIN + max(abreast * block - 2 * GAP, text_width(title, TITLE), *(image.width for image in feet), 0)
    parts = [_line(title, TITLE, INK, width - 2 * MARGIN), _heads(heads, abreast, block, cell)]
    parts += [_band(band, block, cell) for band in bands] + feet
    sheet = blank((2 * MARGIN + sum(part.height for part in parts) + GAP * (len(parts) - 1), width), PAPER)
    y = MARGIN
    for part in parts:
        sheet.paste(part, (MARGIN, y))
        y += part.height + GAP
    return to_picture(sheet)


def _heads(heads: Sequence[Sequence[str]], abreast: int, block: int, cell: int) -> Image.Image:
    most = max(len(lines) for lines in heads)
    height = line_height(HEAD) + LINE_GAP + (most - 1) * line_height(TEXT)
    image = blank((height, abreast * block), PAPER)
    for place in range(abreast):
        for column, lines in enumerate(heads):
            x = place * block + column * (cell + GAP)
            _words(image, (x, 0), lines, cell, first=HEAD)
    return image


def _band(rows: Sequence[Row], block: int, cell: int) -> Image.Image:
    fitted = [[fit_into(picture, (cell, cell)) for picture in row.pictures] for row in rows]
    tallest = max(image.height for images in fitted for image in images)
    lines = max(len(row.words) for row in rows)
    image = blank((tallest + (LINE_GAP + lines * line_height(TEXT) if lines else 0), len(rows) * block), PAPER)
    for place, (row, images) in enumerate(zip(rows, fitted, strict=True)):
        for column, picture in enumerate(images):
            image.paste(picture, (place * block + column * (cell + GAP), 0))
        _words(image, (place * block, tallest + LINE_GAP), row.words, len(images) * (cell + GAP) - GAP, first=TEXT)
    return image


def _words(image: Image.Image, place: tuple[int, int], lines: Sequence[str], width: int, *, first: int) -> None:
    x, y = place
    for number, line in enumerate(lines):
        size = first if number == 0 else TEXT
        write(image, (x, y), shorten(line, size, width), size, INK if number == 0 else MUTED)
        y += line_height(size) + (LINE_GAP if size != TEXT else 0)


def _foot(part: Picture | str) -> Image.Image:
    return _line(part, TEXT, MUTED, text_width(part, TEXT)) if isinstance(part, str) else to_image(part)


def _line(text: str, size: int, colour: tuple[int, int, int], width: int) -> Image.Image:
    image = blank((line_height(size), max(1, width)), PAPER)
    write(image, (0, 0), shorten(text, size, width), size, colour)
    return image
