"""Convolution, batch normalisation, activation: the unit that most networks since 2015 are built of.

S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015, https://arxiv.org/abs/1502.03167
"""

import torch
from torch import nn

__all__ = ["ConvolutionUnit", "identity_convolution"]


class ConvolutionUnit(nn.Sequential):
    """Convolution without bias, batch normalisation, activation; padded so that stride 1 keeps the size.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of the square kernel in pixels; odd.
        stride: step of the kernel in pixels.
        groups: into how many parts the channels are split; `in_channels` makes it depthwise.
        dilation: pixels from one element of the kernel to the next.
        activation: the module after the normalisation; None leaves the unit linear.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        padding = kernel // 2 * dilation
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        if activation is not None:
            self.activation = activation


def identity_convolution(
    in_channels: int, out_channels: int, kernel: int, *, classes: int, dilation: int = 1, noise: float = 0.0
) -> nn.Conv2d:
    """A convolution whose initial weights pass every class through, whatever the number of channels that stand for it.

    F. Yu, V. Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2015, https://arxiv.org/abs/1511.07122,
    equations 4 (as many channels as classes on both sides) and 5

    The channels of a class share its score: with a times as many channels as classes each one holds the a-th part of it.
    The sum over them in a row of such layers that ends with one channel for each class is the score itself.

    Args:
        in_channels: of the input; a multiple of `classes`.
        out_channels: of the output; a multiple of `classes`.
        kernel: side of the square kernel in pixels; odd.
        classes: how many there are.
        dilation: pixels from one element of the kernel to the next.
        noise: standard deviation of all other weights, in parts of those that pass a class through; it tells the channels
            of a class apart.
    """
    layer = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2 * dilation, dilation=dilation)
    through = classes / out_channels
    givers, takers = (torch.arange(count, device=layer.weight.device) * classes // count for count in (in_channels, out_channels))
    if noise:
        nn.init.normal_(layer.weight, 0.0, noise * through)
    else:
        nn.init.zeros_(layer.weight)
    with torch.no_grad():
        layer.weight[:, :, kernel // 2, kernel // 2].masked_fill_(takers[:, None] == givers, through)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
