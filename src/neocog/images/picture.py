"""Pictures in memory: channels, depth and size."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import UInt8, UInt16
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

__all__ = [
    "PIXELS_AT_ONCE",
    "Array",
    "Interpolation",
    "Picture",
    "Size",
    "cover",
    "luma",
    "resize",
    "to_channels",
    "to_depth",
    "to_one_depth",
    "to_pil",
]

Picture = UInt8[Tensor, "_ _ _"] | UInt16[Tensor, "_ _ _"]  # c h w, not bound: several pictures meet in one call
Array = NDArray[Any]  # "h w" or "h w c"
Size = tuple[int, int]  # height, width in pixels
Interpolation = Literal["bilinear", "bicubic", "nearest"]
MOST_OVERHANG = 16
PIXELS_AT_ONCE = 1 << 20
"""That are copied from one order of the channels to another; see `to_pil`."""


def cover(picture: Picture, canvas: Size, interpolation: Interpolation = "bilinear") -> Picture:
    """Resize as `resize` does, aspect kept, so that the picture covers the canvas; cut what stands over.

    Equal margins are cut on both sides, as a centre crop does.
    """
    height, width = picture.shape[-2:]
    if (height, width) == canvas:
        return picture
    scale = max(canvas[0] / height, canvas[1] / width)
    size = max(canvas[0], round(height * scale)), max(canvas[1], round(width * scale))
    if size[0] * size[1] > MOST_OVERHANG * canvas[0] * canvas[1]:
        # a thread-like picture: cut first, or the part that is thrown away could fill the memory
        window = max(1, round(canvas[0] / scale)), max(1, round(canvas[1] / scale))
        return resize(_middle(picture, window), canvas, interpolation)
    return _middle(resize(picture, size, interpolation), canvas)


def to_channels(picture: Picture, channels: Literal[1, 3]) -> Picture:
    """The picture with one channel (ITU-R BT.601 luma of red, green and blue) or three (grey repeated)."""
    if len(picture) == channels:
        return picture
    if channels == 3:
        return picture.expand(3, -1, -1).contiguous()
    return torch.from_numpy(luma(picture.cpu().numpy()))


def resize(picture: Picture, size: Size, interpolation: Interpolation = "bilinear") -> Picture:
    """Resize to a height and width as Pillow does: antialiased, but for "nearest", which takes pixels as they are."""
    if picture.shape[-2:] == size:
        return picture
    whole = picture[None] if picture.dtype == torch.uint8 else picture[None].to(torch.float32)
    if interpolation == "nearest":
        resized = functional.interpolate(whole, size=size, mode="nearest-exact")[0]
    else:
        resized = functional.interpolate(whole, size=size, mode=interpolation, antialias=True)[0]
    return resized if picture.dtype == torch.uint8 else resized.round().clamp(0, 65535).to(torch.uint16)


def to_pil(picture: Picture) -> Image.Image:
    """The picture as an 8-bit Pillow image, "L" or "RGB"."""
    array = to_depth(picture.cpu().numpy(), 8)
    if len(array) == 1:
        return Image.fromarray(array[0])
    _, height, width = array.shape
    rows = max(1, PIXELS_AT_ONCE // max(width, 1))
    if rows >= height:
        return _interleaved(array)
    image = Image.new("RGB", (width, height))
    for top in range(0, height, rows):  # all of a large picture would lie in memory once more
        image.paste(_interleaved(array[:, top : top + rows]), (0, top))
    return image


def _interleaved(array: Array) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(array.transpose(1, 2, 0)))


def luma(planes: Array) -> Array:
    """ITU-R BT.601 in the integers that Pillow uses; "3 h w" becomes "1 h w"."""
    red, green, blue = planes.astype(np.uint32)
    return np.asarray((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16, dtype=planes.dtype)[None]


def to_depth(array: NDArray[Any], depth: int) -> NDArray[Any]:
    """The upper half of 16 bits at depth 8; 8 bits spread over the whole range at depth 16."""
    if depth == 8:
        return (array >> 8).astype(np.uint8) if array.dtype == np.uint16 else array
    return array.astype(np.uint16) * 257 if array.dtype == np.uint8 else array


def to_one_depth(pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures as they are where their depth is one, else all with 16 bits."""
    if len({picture.dtype for picture in pictures}) == 1:
        return list(pictures)
    return [picture if picture.dtype == torch.uint16 else (picture.to(torch.int32) * 257).to(torch.uint16) for picture in pictures]


def _middle(picture: Picture, size: Size) -> Picture:
    """The window of that size in the middle."""
    top, left = (round((picture.shape[axis] - size[axis]) / 2) for axis in (-2, -1))
    return picture[:, top : top + size[0], left : left + size[1]]
