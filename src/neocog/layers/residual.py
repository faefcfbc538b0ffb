"""The blocks of residual networks.

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015,
https://arxiv.org/abs/1512.03385, figures 2 and 5, section 3.3
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.layers.convolution import ConvolutionUnit
from neocog.layers.reach import Reach, reach, widest

__all__ = [
    "Residual",
    "Shortcut",
    "ZeroPadShortcut",
    "basic_block",
    "bottleneck",
    "plain_block",
    "projection_shortcut",
    "zero_pad_shortcut",
]

Shortcut = Callable[[int, int, int], nn.Module]
"""Makes the shortcut from (in_channels, out_channels, stride)."""


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)).

    Args:
        body: the branch that learns the residual.
        shortcut: the branch past it; `nn.Identity` where the shapes agree.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.activation = nn.ReLU(inplace=True)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The activated sum of both branches."""
        out: Tensor = self.body(maps)
        out += self.shortcut(maps)
        result: Tensor = self.activation(out)
        return result

    def reach(self, before: Reach, side: int) -> Reach:
        """As the wider branch: see `neocog.layers.reach`."""
        return widest(reach(self.body, before, side), reach(self.shortcut, before, side))


class ZeroPadShortcut(nn.Module):
    """Option A of section 3.3: every stride-th pixel, with channels of zeros added on both sides; no parameters.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; not fewer.
        stride: step between the pixels that are kept.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        before = (out_channels - in_channels) // 2
        self.channels = before, out_channels - in_channels - before
        self.stride = stride

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Fewer pixels, more channels."""
        return functional.pad(maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.channels))

    def reach(self, before: Reach, side: int) -> Reach:
        """Strides without looking any further."""
        return before._replace(stride=before.stride * self.stride)


def projection_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Option B of section 3.3: the identity where the shapes agree, else a 1x1 convolution with normalisation."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return ConvolutionUnit(in_channels, out_channels, 1, stride=stride)


def zero_pad_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Option A of section 3.3: the identity where the shapes agree, else a `ZeroPadShortcut`."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return ZeroPadShortcut(in_channels, out_channels, stride)


def basic_block(in_channels: int, width: int, stride: int, shortcut: Shortcut = projection_shortcut) -> Residual:
    """Two 3x3 convolutions past a shortcut; the first one strides.

    Args:
        in_channels: channels of the input.
        width: channels of both convolutions, and so of the output.
        stride: of the first convolution and of the shortcut.
        shortcut: makes the shortcut.
    """
    body = nn.Sequential(
        ConvolutionUnit(in_channels, width, stride=stride, activation=nn.ReLU(inplace=True)),
        ConvolutionUnit(width, width),
    )
    return Residual(body, shortcut(in_channels, width, stride))


def plain_block(in_channels: int, width: int, stride: int) -> nn.Sequential:
    """`basic_block` without its shortcut: the control of section 4.1.

    Args:
        in_channels: channels of the input.
        width: channels of both convolutions, and so of the output.
        stride: of the first convolution.
    """
    return nn.Sequential(
        ConvolutionUnit(in_channels, width, stride=stride, activation=nn.ReLU(inplace=True)),
        ConvolutionUnit(width, width, activation=nn.ReLU(inplace=True)),
    )


def bottleneck(
    in_channels: int,
    width: int,
    stride: int,
    shortcut: Shortcut = projection_shortcut,
    *,
    expansion: int = 4,
    groups: int = 1,
    first_strides: bool = False,
) -> Residual:
    """1x1, 3x3 and 1x1 convolutions past a shortcut; the output has `expansion` times `width` channels.

    Args:
        in_channels: channels of the input.
        width: channels of the 3x3 convolution.
        stride: of the block.
        shortcut: makes the shortcut.
        expansion: how many times wider than the 3x3 convolution the output is.
        groups: of the 3x3 convolution; the cardinality of ResNeXt.
        first_strides: the first 1x1 convolution strides, as in the paper; else the 3x3 one does, as in most later work.
    """
    strides = (stride, 1) if first_strides else (1, stride)
    body = nn.Sequential(
        ConvolutionUnit(in_channels, width, 1, stride=strides[0], activation=nn.ReLU(inplace=True)),
        ConvolutionUnit(width, width, stride=strides[1], groups=groups, activation=nn.ReLU(inplace=True)),
        ConvolutionUnit(width, expansion * width, 1),
    )
    return Residual(body, shortcut(in_channels, expansion * width, stride))
