"""A patch as a hand-made descriptor tells it, and as the learnt filters do, in the same form.

D. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", 2004,
https://doi.org/10.1023/B:VISI.0000029664.99615.94, section 6.1: the directions in which the brightness rises, gathered in a
grid of 4 x 4 cells, eight directions each. Here the patch keeps its place, size and upright position, which Lowe's
keypoints would give it.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.explain.top_patches import Window

__all__ = ["CELLS", "DIRECTIONS", "cosine", "folded", "learnt_descriptor", "liveliest", "luma_of", "sift_descriptor"]

CELLS = 4  # a side of the grid
DIRECTIONS = 8  # of a whole turn
MOST = 0.2  # of the descriptor's length in one number, so that no single strong edge decides
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def luma_of(image: Float[Tensor, "c h w"]) -> Float[Tensor, "h w"]:
    """The brightness of an image of one channel, or of red, green and blue (a fourth channel is left out)."""
    if len(image) < 3:
        return image[0]
    return torch.einsum("c,chw->hw", torch.tensor(LUMA, dtype=image.dtype, device=image.device), image[:3])


def sift_descriptor(grey: Float[Tensor, "h w"]) -> Float[Tensor, "4 4 8"]:
    """Lowe's descriptor of a patch: rows and columns of cells, then directions in steps of 45 degrees.

    Direction 0 is brightness that rises to the right, 2 that rises downwards. Each pixel counts by its gradient's magnitude,
    under a Gaussian half as wide as the patch, shared among the nearest cells and directions (trilinear). The whole has
    length 1, no number of it more than 0.2 before it is brought to that length again; a flat patch gives 0.

    Args:
        grey: brightness; at least 3 pixels high and wide.
    """
    grey = grey.double()
    down, across = (torch.gradient(grey, dim=axis)[0] for axis in (0, 1))
    strength = (down.square() + across.square()).sqrt()
    turns = torch.atan2(down, across) / (2 * math.pi) * DIRECTIONS
    cells = _gathered(strength, _shared(turns, DIRECTIONS))
    return _unit(_unit(cells).clamp(max=MOST)).float()


def learnt_descriptor(maps: Float[Tensor, "u h w"], orientations: Sequence[float]) -> Float[Tensor, "4 4 4"]:
    """The same of a layer's answers to the patch: how much the filters of each orientation answer in each cell.

    A filter counts by the magnitude of its answers. Its direction and the opposite one are the same to it, so there are
    four, in steps of 45 degrees of half a turn, as `folded` makes of Lowe's eight.

    Args:
        maps: of the units, over the patch.
        orientations: of their kernels' waves in degrees; see `GaborFit`.
    """
    half = DIRECTIONS // 2
    turns = torch.tensor(orientations, dtype=torch.float64, device=maps.device)[:, None, None] / 180 * half
    sums = torch.zeros(CELLS, CELLS, half, dtype=torch.float64, device=maps.device)
    for one, turn in zip(maps.double().abs(), turns, strict=True):
        sums += _gathered(one, _shared(turn.expand_as(one), half))
    return _unit(sums).float()


def folded(descriptor: Float[Tensor, "4 4 8"]) -> Float[Tensor, "4 4 4"]:
    """With each direction and its opposite taken together, of length 1."""
    return _unit(descriptor[..., : DIRECTIONS // 2] + descriptor[..., DIRECTIONS // 2 :])


def cosine(one: Float[Tensor, "4 4 4"], other: Float[Tensor, "4 4 4"]) -> float:
    """How alike two descriptors are: 1 for the same, 0 where they have nothing in common."""
    return float((_unit(one) * _unit(other)).sum())


def liveliest(image: Float[Tensor, "c h w"], side: int) -> Window:
    """The square of a side within an image where the brightness changes most.

    Args:
        image: at least `side` high and wide.
        side: in pixels.
    """
    grey = luma_of(image).double()
    strength = sum(torch.gradient(grey, dim=axis)[0].square() for axis in (0, 1))
    sums = torch.nn.functional.avg_pool2d(torch.as_tensor(strength)[None, None], side, stride=1)[0, 0]
    top, left = divmod(int(sums.argmax()), sums.shape[1])
    return Window(top, left, top + side, left + side)


def _shared(turns: Tensor, count: int) -> Tensor:
    """How much of each value goes to each of `count` directions around a circle, "count h w": linear between the two nearest."""
    steps = torch.arange(count, dtype=turns.dtype, device=turns.device)[:, None, None]
    apart = (turns - steps).remainder(count)
    return (1 - torch.minimum(apart, count - apart)).clamp(min=0)


def _gathered(strength: Tensor, directions: Tensor) -> Tensor:
    """Sums over each cell under the Gaussian, linear between the nearest cells."""
    rows, columns = (_cells(side, strength) for side in strength.shape)
    height, width = (_fall(side, strength) for side in strength.shape)
    weighted = strength * height[:, None] * width
    return torch.einsum("iy,jx,oyx->ijo", rows, columns, directions * weighted)


def _cells(side: int, like: Tensor) -> Tensor:
    """How much of each of a row's pixels goes to each cell, "cells side"."""
    places = (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side * CELLS - 0.5
    steps = torch.arange(CELLS, dtype=like.dtype, device=like.device)[:, None]
    return (1 - (places - steps).abs()).clamp(min=0)


def _fall(side: int, like: Tensor) -> Tensor:
    """The Gaussian along a side, whose standard deviation is half of it."""
    places = (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side - 0.5
    return (-0.5 * (places / 0.5).square()).exp()


def _unit(values: Tensor) -> Tensor:
    """At length 1; zeros stay zeros."""
    length = values.norm()
    return values / length if length > 0 else values
