"""Heads over the last map of a network that answer for every point of it, and pyramids of dilated convolutions.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017,
https://arxiv.org/abs/1706.05587, section 3.3
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.reach import Reach, reach, widest

__all__ = ["DilatedPyramid", "convolutional_scores"]


class DilatedPyramid(nn.Module):
    """Atrous spatial pyramid pooling: the map seen at several distances and as a whole, side by side.

    A 1x1 convolution, a dilated 3x3 one for each rate, and the mean of the whole map through a 1x1 convolution, each
    with batch normalisation and ReLU, are appended to one another and brought to `out_channels` by a 1x1 convolution.

    Args:
        in_channels: of the map.
        rates: dilations of the 3x3 convolutions, in points of the map.
        out_channels: of every branch and of the result.
        dropout: probability of zeroing a value of the result while training.
    """

    def __init__(self, in_channels: int, rates: Sequence[int], out_channels: int = 256, dropout: float = 0.5) -> None:
        super().__init__()
        branches = [_unit(in_channels, out_channels, 1), *(_unit(in_channels, out_channels, 3, rate) for rate in rates)]
        self.branches = nn.ModuleList(branches)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.whole = _unit(in_channels, out_channels, 1)
        self.project = _unit((len(branches) + 1) * out_channels, out_channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """The result at the map's own size."""
        mean = self.whole(self.pool(maps))
        seen = [*(branch(maps) for branch in self.branches), mean.expand(-1, -1, *maps.shape[2:])]
        result: Tensor = self.dropout(self.project(torch.cat(seen, dim=1)))
        return result

    def reach(self, before: Reach, side: int) -> Reach:
        """That of the widest branch; that one sees the whole map is not counted: see `neocog.layers.reach`."""
        reach(self.whole, reach(self.pool, before, side), side)
        return reach(self.project, widest(*(reach(branch, before, side) for branch in self.branches)), side)


def convolutional_scores(in_channels: int, outputs: int) -> nn.Sequential:
    """A 3x3 convolution to a quarter of the channels with batch normalisation and ReLU, dropout of 0.1, a 1x1 convolution to the classes.

    torchvision's head of fully convolutional networks, also on the map that an auxiliary loss is taken from.
    """
    width = in_channels // 4
    scores = nn.Sequential()
    scores.add_module("unit", _unit(in_channels, width, 3))
    scores.add_module("dropout", nn.Dropout(0.1))
    scores.add_module("conv", nn.Conv2d(width, outputs, 1))
    return scores


def _unit(in_channels: int, out_channels: int, kernel: int, dilation: int = 1) -> ConvolutionUnit:
    return ConvolutionUnit(in_channels, out_channels, kernel, dilation=dilation, activation=nn.ReLU(inplace=True))
