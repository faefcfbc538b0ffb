"""What stands around an image where a network needs more of it, and maps brought to a size."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.images import Size

__all__ = ["at_least", "fit_to", "mirrored", "placed", "resized"]


def fit_to(maps: Float[Tensor, "b c h w"], size: Size) -> Float[Tensor, "b c i j"]:
    """Maps of a height and width: what is over is cut at the right and at the bottom, what lacks is the border repeated.

    Maps that have the size already are passed on as they are.
    """
    height, width = maps.shape[-2:]
    if (height, width) == tuple(size):
        return maps
    maps = maps[..., : size[0], : size[1]]
    lacking = (0, max(size[1] - width, 0), 0, max(size[0] - height, 0))
    return functional.pad(maps, lacking, mode="replicate") if any(lacking) else maps


def at_least(images: Float[Tensor, "b c h w"], side: int) -> Float[Tensor, "b c i j"]:
    """Images no lower and no narrower than `side` pixels; smaller ones are continued by their last row and column."""
    height, width = images.shape[-2:]
    return fit_to(images, (max(height, side), max(width, side)))


def mirrored(images: Float[Tensor, "b c h w"], margin: int, size: Size) -> Float[Tensor, "b c i j"]:
    """Images continued by their own mirror image, as often as it takes; the border itself is not repeated.

    The overlap-tile strategy of O. Ronneberger, P. Fischer, T. Brox, "U-Net", 2015, https://arxiv.org/abs/1505.04597,
    figure 2.

    Args:
        images: any size.
        margin: rows and columns added above and on the left.
        size: height and width of the result; what is not image or margin is added below and on the right.
    """
    rows, columns = (_mirror(length, margin, whole, images) for length, whole in zip(images.shape[-2:], size, strict=True))
    return images.index_select(2, rows).index_select(3, columns)


def _mirror(length: int, margin: int, whole: int, like: Tensor) -> Int64[Tensor, "whole"]:
    """Which row of the image each row of the result shows: 3 2 1 0 1 2 3 2 1 ..."""
    period = max(2 * (length - 1), 1)
    place = torch.arange(-margin, whole - margin, device=like.device).remainder(period)
    return torch.where(place < length, place, period - place)


def resized(maps: Float[Tensor, "b c h w"], size: Size) -> Float[Tensor, "b c i j"]:
    """Maps brought to a height and width by bilinear interpolation; points stand for squares."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def placed(maps: Float[Tensor, "b c h w"], size: Size, *, stride: int, first: tuple[float, float]) -> Float[Tensor, "b c i j"]:
    """Maps brought to a height and width by bilinear interpolation between points whose places are known; border values reach outwards.

    Args:
        maps: any size.
        size: height and width of the result, in pixels.
        stride: pixels from one point to the next.
        first: row and column of the first point: whole, or halves where the stride is even.
    """
    (above, below), (left, right) = (_lacking(*of_axis, stride) for of_axis in zip(first, maps.shape[2:], size, strict=True))
    maps = functional.pad(maps, [left, right, above, below], mode="replicate")  # of points, which are fewer than pixels
    maps = _between(maps, 2, stride, first[0] - above * stride, size[0])
    return _between(maps, 3, stride, first[1] - left * stride, size[1])


def _lacking(place: float, points: int, length: int, stride: int) -> tuple[int, int]:
    """How many points there should be before the first and behind the last, so that all of `length` pixels lie between two."""
    before, behind = math.ceil(place / stride), math.ceil((length - 1 - place) / stride) - (points - 1)
    return max(before, 0), max(behind, 0)


def _between(maps: Tensor, axis: int, stride: int, place: float, length: int) -> Tensor:
    """Pixels from 0 to `length` along one axis, with the first point at or before 0."""
    whole = place % 1 == 0  # from the first point to the last, else from half a stride before the first to half of one after the last
    sides = [*maps.shape[2:]]
    sides[axis - 2] = (sides[axis - 2] - 1) * stride + 1 if whole else sides[axis - 2] * stride
    start = place if whole else place - (stride - 1) / 2
    return functional.interpolate(maps, size=sides, mode="bilinear", align_corners=whole).narrow(axis, int(-start), length)
