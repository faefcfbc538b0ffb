"""What all drawings share: pictures to Pillow and back, and text that keeps to its place."""

import functools
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from neocog.draw.palette import INK, Colour
from neocog.images import Picture, Size, to_pil

__all__ = ["blank", "enlarged", "fit_into", "line_height", "shorten", "text_width", "to_image", "to_picture", "write"]

ELLIPSIS = "…"


def to_image(picture: Picture) -> Image.Image:
    """A picture as an RGB image that may be drawn upon."""
    return to_pil(picture).convert("RGB")


def to_picture(image: Image.Image) -> Picture:
    """An image as a picture, uint8 "3 h w"."""
    return torch.from_numpy(np.ascontiguousarray(np.array(image.convert("RGB")).transpose(2, 0, 1)))


def blank(size: Size, colour: Colour) -> Image.Image:
    """An image of one colour.

    Args:
        size: height and width in pixels.
    """
    return Image.new("RGB", (size[1], size[0]), colour)


def enlarged(picture: Picture, shorter_side: int) -> tuple[Image.Image, int]:
    """The picture magnified by a whole factor, each pixel a square, until its shorter side reaches a length.

    Returns:
        The image and the factor; 1 for pictures that are large enough.
    """
    image = to_image(picture)
    factor = max(1, -(-shorter_side // min(image.size)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST), factor


def fit_into(picture: Picture, size: Size) -> Image.Image:
    """The picture made to fit into a height and width, its aspect kept.

    Small pictures grow by whole factors, each pixel a square, so that nothing is shown that is not there.
    """
    image = to_image(picture)
    height, width = size
    ratio = min(width / image.width, height / image.height)
    if ratio >= 1:
        factor = int(ratio)
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    return image.resize((max(1, round(image.width * ratio)), max(1, round(image.height * ratio))), Image.Resampling.LANCZOS)


def line_height(size: int) -> int:
    """Pixels from one line of text to the next."""
    ascent, descent = _font(size).getmetrics()
    return int(ascent + descent)


def text_width(text: str, size: int) -> int:
    """Pixels that a line of text takes."""
    return int(np.ceil(_font(size).getlength(text)))


def shorten(text: str, size: int, width: int) -> str:
    """The text, or as much of its beginning as fits a width, with an ellipsis."""
    if text_width(text, size) <= width:
        return text
    keep = len(text)
    while keep and text_width(text[:keep].rstrip() + ELLIPSIS, size) > width:
        keep -= 1
    return text[:keep].rstrip() + ELLIPSIS if keep else ""


def write(image: Image.Image, place: tuple[float, float], text: str, size: int, colour: Colour = INK, anchor: str = "la") -> None:
    """Write one line.

    Args:
        place: x and y of the anchor.
        size: height of the letters' body in pixels.
        anchor: which point of the text stands at `place`, as Pillow names it: "la" its upper left corner,
            "mm" its middle, "ra" its upper right corner.
    """
    ImageDraw.Draw(image).text(place, text, fill=colour, font=_font(size), anchor=anchor)


@functools.lru_cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)
