"""The block of MobileNetV2 and of what came after it: narrow in, wide and depthwise inside, narrow and linear out.

M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", 2018, https://arxiv.org/abs/1801.04381, section 3.3

MobileNetV3 (https://arxiv.org/abs/1905.02244, figure 4) adds squeeze and excitation after the depthwise convolution.
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.reach import Reach, reach

__all__ = ["InvertedResidual"]


def _relu6() -> nn.Module:
    return nn.ReLU6(inplace=True)


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, linear 1x1 projection; the input is added where shapes agree.

    Args:
        in_channels: channels of the input.
        width: channels inside; equal to `in_channels` leaves the expansion out.
        out_channels: channels of the output.
        kernel: side of the depthwise kernel in pixels; odd.
        stride: of the depthwise convolution.
        activation: makes the nonlinearity after the first two convolutions.
        excitation: weighs the channels inside before the projection; None leaves them as they are.

    Attributes:
        body: the branch that learns.
        adds_input: whether the input is added to it.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        activation: Callable[[], nn.Module] = _relu6,
        excitation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.body = nn.Sequential()
        if width != in_channels:
            self.body.add_module("expand", ConvolutionUnit(in_channels, width, 1, activation=activation()))
        self.body.add_module("depthwise", ConvolutionUnit(width, width, kernel, stride=stride, groups=width, activation=activation()))
        if excitation is not None:
            self.body.add_module("excitation", excitation)
        self.body.add_module("project", ConvolutionUnit(width, out_channels, 1))
        self.adds_input = stride == 1 and in_channels == out_channels

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The maps at `stride`."""
        out: Tensor = self.body(maps)
        if self.adds_input:
            out += maps
        return out

    def reach(self, before: Reach, side: int) -> Reach:
        """As its wider branch: see `neocog.layers.reach`."""
        return reach(self.body, before, side)
