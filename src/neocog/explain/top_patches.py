"""Which places of many pictures excite each unit of a layer most, found in one pass.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901,
figure 2: the nine strongest activations of a feature map. A picture counts once for a unit, with its strongest place:
else the nine could all be of one picture.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.layers import Reach

__all__ = ["PATCHES", "Finder", "TopPatches", "Window", "cut", "window_of"]

PATCHES = 9  # the paper's number
NOTHING = -1  # in place of a picture where a unit has not been active in as many


@dataclass(frozen=True)
class TopPatches:
    """The strongest places of each unit of a layer, the strongest first; equally strong ones in the order of the pictures.

    Attributes:
        values: the activations; 0 where there is none.
        pictures: keys of the pictures; -1 where the unit was above 0 in fewer.
        rows: of the feature map, from 0; 0 for a dense layer.
        columns: likewise.
    """

    values: Float[Tensor, "u n"]
    pictures: Int64[Tensor, "u n"]
    rows: Int64[Tensor, "u n"]
    columns: Int64[Tensor, "u n"]

    def count(self, unit: int) -> int:
        """How many patches a unit has."""
        return int((self.pictures[unit] != NOTHING).sum())


class Window(NamedTuple):
    """A rectangle of an image: the first row and column inside, and those after the last; it may reach beyond the image."""

    top: int
    left: int
    bottom: int
    right: int

    def within(self, height: int, width: int) -> "Window":
        """What of it lies on an image of that size."""
        return Window(max(self.top, 0), max(self.left, 0), min(self.bottom, height), min(self.right, width))


class Finder:
    """Keeps the strongest places while the maps of one batch after the other pass by.

    Its memory is a few numbers for each unit. A place counts where the unit is above 0.

    Args:
        patches: how many to keep for each unit.
    """

    def __init__(self, patches: int = PATCHES) -> None:
        self._patches = patches
        self._kept: tuple[Tensor, ...] | None = None  # values, keys, rows and columns, "units patches" each

    def update(self, maps: Float[Tensor, "b u *places"], keys: Int64[Tensor, "b"]) -> None:
        """Take in the answers to a batch.

        Args:
            maps: of the layer; "b u" of a dense one.
            keys: of the batch's pictures.
        """
        width = maps.shape[-1] if maps.ndim == 4 else 1
        strongest, places = maps.detach().flatten(2).max(dim=2) if maps.ndim == 4 else (maps.detach(), torch.zeros_like(maps).long())
        values, places = strongest.T.float().cpu(), places.T.cpu()
        pictures = keys.cpu().expand_as(values)
        pictures = torch.where(values > 0, pictures, NOTHING)
        found: tuple[Tensor, ...] = values.clamp(min=0), pictures, places // width, places % width
        if self._kept is not None:
            found = tuple(torch.cat(pair, dim=1) for pair in zip(self._kept, found, strict=True))
        order = found[0].sort(dim=1, descending=True, stable=True).indices[:, : self._patches]  # stable: what came first stays first
        self._kept = tuple(column.gather(1, order) for column in found)

    def found(self) -> TopPatches:
        """The strongest places so far.

        Raises:
            ValueError: there was no batch.
        """
        if self._kept is None:
            raise ValueError("expected at least one batch, found none")
        values, pictures, rows, columns = self._kept
        there = pictures != NOTHING
        return TopPatches(values, pictures, rows * there, columns * there)


def window_of(reach: Reach, row: int, column: int) -> Window:
    """What a point of a feature map sees of the image.

    Args:
        reach: of the layer.
        row: of the point.
        column: of the point.
    """
    top, left = reach.top + row * reach.stride, reach.left + column * reach.stride
    return Window(top, left, top + reach.height, left + reach.width)


def cut(image: Float[Tensor, "c h w"], window: Window) -> Float[Tensor, "c i j"]:
    """The part of an image that lies in a window; what of the window lies beyond the image is left out."""
    top, left, bottom, right = window.within(*image.shape[1:])
    return image[:, top:bottom, left:right]
