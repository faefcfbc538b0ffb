"""The block of MobileNetV2: narrow in, wide and depthwise inside, narrow and linear out.

M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", 2018, https://arxiv.org/abs/1801.04381, section 3.3
"""

from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.reach import Reach, reach

__all__ = ["InvertedResidual"]


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise convolution, linear 1x1 projection; the input is added where shapes agree.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the depthwise convolution.
        expansion: how many times wider the inside is; 1 leaves the first convolution out.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        width = in_channels * expansion
        self.body = nn.Sequential()
        if expansion != 1:
            self.body.add_module("expand", ConvolutionUnit(in_channels, width, 1, activation=nn.ReLU6(inplace=True)))
        self.body.add_module("depthwise", ConvolutionUnit(width, width, stride=stride, groups=width, activation=nn.ReLU6(inplace=True)))
        self.body.add_module("project", ConvolutionUnit(width, out_channels, 1))
        self.adds_input = stride == 1 and in_channels == out_channels

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The maps at `stride`."""
        out: Tensor = self.body(maps)
        return maps + out if self.adds_input else out

    def reach(self, before: Reach, side: int) -> Reach:
        """As its widest branch: see `neocog.layers.reach`."""
        return reach(self.body, before, side)
