"""Spatial pyramid pooling: a vector of fixed length from a map of any size.

K. He, X. Zhang, S. Ren, J. Sun, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
2014, https://arxiv.org/abs/1406.4729, sections 2.2 and 2.3, appendix A

Bins are the appendix's: bin i of n on a side of length a reaches from floor(i a / n) to ceil((i + 1) a / n), so
that bins cover the map whatever its size, and overlap where n does not divide a. Section 2.3's sliding windows,
ceil(a / n) points every floor(a / n), are the same bins on its maps of 13 points a side; at other sizes they can
leave the last rows and columns out.

Maxima are taken over slices, first of rows and then of columns, not by adaptive pooling, whose gradient is not
deterministic on CUDA. Points that share a maximum share its gradient.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.reach import Reach

__all__ = ["SpatialPyramidPooling"]


class SpatialPyramidPooling(nn.Module):
    """The maximum of each channel over the bins of several grids, one grid after another.

    Args:
        levels: rows, and columns, of each grid; (7, 3, 2, 1) gives 49 + 9 + 4 + 1 = 63 bins.
    """

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels = tuple(levels)

    @property
    def bins(self) -> int:
        """Values that each channel gives."""
        return sum(level * level for level in self.levels)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        """Vectors "b c*bins": the grids in order, and of each the channels, then its rows, then its columns."""
        return torch.cat([_maxima(_maxima(maps, 2, level), 3, level).flatten(1) for level in self.levels], dim=1)

    def reach(self, before: Reach, side: int) -> Reach:
        """The whole image, as a dense layer: see `neocog.layers.reach`."""
        return Reach(side, side, side)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.levels))


def _maxima(maps: Tensor, axis: int, count: int) -> Tensor:
    """The maxima of `count` slices along an axis."""
    length = maps.shape[axis]
    slices = [(index * length // count, -(-(index + 1) * length // count)) for index in range(count)]
    return torch.stack([maps.narrow(axis, start, end - start).amax(axis) for start, end in slices], dim=axis)
