"""Rectangles on a picture, each in a colour of its own, with a word for each underneath."""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from neocog.draw.canvas import blank, enlarged, line_height, to_picture, write
from neocog.draw.palette import INK, PAPER, Colour
from neocog.images import Picture

__all__ = ["Outline", "draw_windows"]

NAME = 14
SWATCH = 12


class Outline(NamedTuple):
    """A rectangle in pixels of the picture, which it may reach beyond.

    Attributes:
        top: the first row inside.
        left: the first column inside.
        bottom: the row after the last.
        right: the column after the last.
        colour: of its line.
        name: written beneath the picture beside its colour; "" for none.
        width: of its line in pixels.
    """

    top: int
    left: int
    bottom: int
    right: int
    colour: Colour
    name: str = ""
    width: int = 2


def draw_windows(picture: Picture, outlines: Sequence[Outline], shorter_side: int = 320) -> Picture:
    """Draw rectangles; the picture is magnified by a whole factor until its shorter side is so long.

    Rectangles that reach beyond the picture get a margin of paper, of at most a quarter of the picture; one that reaches further is
    named and not drawn.
    """
    image, factor = enlarged(picture, shorter_side)
    beyond = [_beyond(outline, picture) * factor + 3 for outline in outlines]
    drawn = [outline for outline, far in zip(outlines, beyond, strict=True) if far <= max(image.size) // 4]
    margin = max((far for far in beyond if 3 < far <= max(image.size) // 4), default=0)
    names = [outline if outline in drawn else outline._replace(name=f"{outline.name} (not drawn)") for outline in outlines if outline.name]
    row = line_height(NAME) + 2
    sheet = blank((image.height + 2 * margin + row * len(names) + 4 * bool(names), image.width + 2 * margin), PAPER)
    sheet.paste(image, (margin, margin))
    frame = image.width + 2 * margin, image.height + 2 * margin
    layer = sheet.crop((0, 0, *frame))
    for outline in drawn:
        _rectangle(layer, outline, factor, margin)
    sheet.paste(layer, (0, 0))
    for number, outline in enumerate(names):
        top = frame[1] + 4 + number * row
        ImageDraw.Draw(sheet).rectangle((0, top + 2, SWATCH - 1, top + SWATCH + 1), fill=outline.colour)
        write(sheet, (SWATCH + 8, top), outline.name, NAME, INK)
    return to_picture(sheet)


def _beyond(outline: Outline, picture: Picture) -> int:
    """Pixels of the picture that a rectangle reaches beyond it, at the side where it reaches furthest."""
    return max(-outline.top, -outline.left, outline.bottom - picture.shape[1], outline.right - picture.shape[2], 0)


def _rectangle(layer: Image.Image, outline: Outline, factor: int, margin: int) -> None:
    """A line just inside of the rectangle."""
    left, top = outline.left * factor + margin, outline.top * factor + margin
    right, bottom = max(left + 2, outline.right * factor + margin - 1), max(top + 2, outline.bottom * factor + margin - 1)
    ImageDraw.Draw(layer).rectangle((left, top, right, bottom), outline=outline.colour, width=outline.width)
