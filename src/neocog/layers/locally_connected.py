"""Local connections without weight sharing: each position of the map has a kernel of its own.

Y. LeCun, "Generalization and Network Design Strategies", 1989,
https://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf

A convolution is the special case in which all positions have the same kernel. Without that, a kernel learns
from its own place on the picture alone, and the number of weights grows with the size of the map.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.images import Size
from neocog.layers.reach import Reach

__all__ = ["LocallyConnected2d"]


class LocallyConnected2d(nn.Module):
    """A convolution's windows, each with its own weights and its own bias.

    Initial weights and biases are uniform within 1/sqrt(inputs of a unit), as those of PyTorch's convolutions.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        size: height and width of the input in pixels, on which the number of weights depends.
        kernel: side of the square window in pixels.
        stride: pixels from one window to the next.
        padding: rows and columns of zeros around the input.

    Attributes:
        weight: one row of in_channels x kernel x kernel numbers for each position (row by row) and output channel.
        bias: one number for each output channel and position.

    Raises:
        ValueError: the window is larger than the padded input.
    """

    def __init__(self, in_channels: int, out_channels: int, size: Size, kernel: int, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        if min(size) + 2 * padding < kernel:
            raise ValueError(
                f"expected an input of at least {kernel}x{kernel} pixels with its padding of {padding}, found {size[0]}x{size[1]}"
            )
        self.size, self.kernel, self.stride, self.padding = size, kernel, stride, padding
        height, width = ((side + 2 * padding - kernel) // stride + 1 for side in size)
        self.output_size = height, width
        self.inputs = in_channels * kernel * kernel
        self.weight = nn.Parameter(torch.empty(math.prod(self.output_size), out_channels, self.inputs))
        self.bias = nn.Parameter(torch.empty(out_channels, *self.output_size))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(self.inputs**-0.5), self.inputs**-0.5)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The weighted sum of each window.

        Raises:
            ValueError: the maps have another size than the weights were made for.
        """
        if tuple(maps.shape[2:]) != tuple(self.size):
            found = f"{maps.shape[2]}x{maps.shape[3]}"
            raise ValueError(f"expected maps of {self.size[0]}x{self.size[1]} pixels, which the weights were made for, found {found}")
        windows = functional.unfold(maps, self.kernel, padding=self.padding, stride=self.stride)
        # One product of matrices for each position: (b, inputs) by (inputs, d).
        sums = torch.matmul(windows.permute(2, 0, 1), self.weight.transpose(1, 2))
        return sums.permute(1, 2, 0).reshape(len(maps), *self.bias.shape) + self.bias

    def reach(self, before: Reach, side: int) -> Reach:
        """As a convolution's: see `neocog.layers.reach`."""
        return before.through(self.kernel, stride=self.stride, padding=self.padding)

    def multiply_adds(self, output: Tensor) -> int:
        """Multiplications with addition that an output cost: as a convolution's, one for each input of each unit."""
        return output.numel() * self.inputs
