"""Dense blocks: every layer sees the maps of all layers before it.

G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely Connected Convolutional Networks", 2016,
https://arxiv.org/abs/1608.06993, figure 1, sections 3 and 4
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.reach import Reach, reach, widest

__all__ = ["DenseLayer", "dense_block", "preactivated"]

BOTTLENECK = 4  # width of the 1x1 convolution, in growth rates


class DenseLayer(nn.Module):
    """The input, and after its channels as many new ones as the growth rate, computed from all of them.

    Normalisation and relu come before each convolution: 1x1 to four growth rates, 3x3 to one (DenseNet-B).

    Args:
        in_channels: channels of the input.
        growth_rate: channels that are added.
    """

    def __init__(self, in_channels: int, growth_rate: int) -> None:
        super().__init__()
        width = BOTTLENECK * growth_rate
        self.reduce = preactivated(in_channels, width, 1)
        self.grow = preactivated(width, growth_rate, 3)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """The maps with new ones appended."""
        return torch.cat([maps, self.grow(self.reduce(maps))], dim=1)

    def reach(self, before: Reach, side: int) -> Reach:
        """As the new maps: see `neocog.layers.reach`."""
        return widest(before, reach(self.grow, reach(self.reduce, before, side), side))


def dense_block(in_channels: int, layers: int, growth_rate: int) -> nn.Sequential:
    """Dense layers in a row; the output has `in_channels + layers * growth_rate` channels.

    Because a layer hands on what it was given, a plain sequence connects each one with all before it.

    Args:
        in_channels: channels of the input.
        layers: how many there are.
        growth_rate: channels that each one adds.
    """
    return nn.Sequential(*(DenseLayer(in_channels + index * growth_rate, growth_rate) for index in range(layers)))


def preactivated(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    """Batch normalisation, relu, and a convolution without bias that keeps the size.

    Args:
        in_channels: channels of the input, which is not changed.
        out_channels: channels of the output.
        kernel: side of the square kernel in pixels; odd.
    """
    unit = nn.Sequential()
    unit.add_module("norm", nn.BatchNorm2d(in_channels))
    unit.add_module("activation", nn.ReLU(inplace=True))
    unit.add_module("conv", nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False))
    return unit
