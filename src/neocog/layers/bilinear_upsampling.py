"""Enlarging maps by a convolution that begins as bilinear interpolation and may learn better.

J. Long, E. Shelhamer, T. Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2014,
https://arxiv.org/abs/1411.4038, section 3.3
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["BilinearUpsampling", "bilinear_kernel"]


def bilinear_kernel(scale: int) -> Float[Tensor, "k k"]:
    """The weights by which one value is painted over its neighbourhood: the outer product of a triangle with itself.

    The side is 2 scale - scale % 2; scale 2 gives [1, 3, 3, 1] / 4 in each direction.
    """
    side = 2 * scale - scale % 2
    row = 1 - (torch.arange(side) - (side - 1) / 2).abs() / scale
    return row[:, None] * row


class BilinearUpsampling(nn.ConvTranspose2d):
    """A transposed convolution of each channel for itself, whose initial weights interpolate bilinearly.

    Points stand for squares, so that the result is what `functional.interpolate(..., align_corners=False)` gives but at
    the border, where nothing is repeated outwards.

    Args:
        channels: of the input and the output.
        scale: how many times higher and wider the output is.
        cut: whether the rim that is painted from one side only is cut, so that the output is exactly `scale` times the
            input; else it is `scale` times the input and `scale - scale % 2` more in each direction.
    """

    def __init__(self, channels: int, scale: int, *, cut: bool = True) -> None:
        self.scale = scale
        side = 2 * scale - scale % 2
        super().__init__(channels, channels, side, stride=scale, padding=scale // 2 if cut else 0, groups=channels, bias=False)

    def reset_parameters(self) -> None:
        """Bilinear interpolation."""
        with torch.no_grad():
            self.weight.copy_(bilinear_kernel(self.scale).expand_as(self.weight))
