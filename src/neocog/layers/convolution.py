"""Convolution, batch normalisation, activation: the unit that most networks since 2015 are built of.

S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015, https://arxiv.org/abs/1502.03167
"""

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


def identity_convolution(channels: int, kernel: int, *, dilation: int = 1) -> nn.Conv2d:
    """A convolution whose initial weights pass every channel through unchanged.

    F. Yu, V. Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2015, https://arxiv.org/abs/1511.07122,
    equation 4

    Args:
        channels: of the input and the output.
        kernel: side of the square kernel in pixels; odd.
        dilation: pixels from one element of the kernel to the next.
    """
    layer = nn.Conv2d(channels, channels, kernel, padding=kernel // 2 * dilation, dilation=dilation)
    nn.init.dirac_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
