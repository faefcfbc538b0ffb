"""A step of a decoder: maps twice as high and wide, joined with those of the encoder at that size, and convolved.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
https://arxiv.org/abs/1505.04597, section 2
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.reach import Reach, reach, widest
from neocog.layers.resize_convolution import ResizeConvolution
from neocog.layers.surround import fit_to

__all__ = ["Expanding", "Upsampling", "double_convolution"]

Upsampling = Literal["transposed", "resize"]
"""How maps are enlarged: by a transposed convolution, or by copying pixels and a convolution (no checkerboard)."""


def double_convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch normalisation and ReLU: unit1, unit2."""
    units = nn.Sequential()
    for number, before in enumerate((in_channels, out_channels), start=1):
        units.add_module(f"unit{number}", ConvolutionUnit(before, out_channels, activation=nn.ReLU(inplace=True)))
    return units


class Expanding(nn.Module):
    """Enlarge by two, append to the encoder's maps, convolve twice.

    Args:
        in_channels: of the maps that are enlarged.
        skip_channels: of the encoder's maps; 0 where there are none.
        out_channels: of the result, and of the maps once enlarged.
        upsampling: how they are enlarged.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, upsampling: Upsampling = "transposed") -> None:
        super().__init__()
        self.up: nn.Module
        if upsampling == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        else:
            self.up = ResizeConvolution(in_channels, out_channels)
        self.units = double_convolution(skip_channels + out_channels, out_channels)

    def forward(self, maps: Float[Tensor, "b c m n"], skip: Float[Tensor, "b d h w"] | None) -> Float[Tensor, "b e i j"]:
        """The maps at the size of `skip`, or twice as high and wide where there is none."""
        enlarged: Tensor = self.up(maps)
        if skip is not None:
            enlarged = torch.cat([skip, fit_to(enlarged, (skip.shape[-2], skip.shape[-1]))], dim=1)
        result: Tensor = self.units(enlarged)
        return result

    def joined(self, before: Reach, skip: Reach | None, side: int) -> Reach:
        """The reach of the result, given those of both inputs: see `neocog.layers.reach`."""
        enlarged = reach(self.up, before, side)
        return reach(self.units, enlarged if skip is None else widest(enlarged, skip), side)
