"""Inception: branches of different kernels side by side on one map.

C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke, A. Rabinovich, "Going
Deeper with Convolutions", 2014, https://arxiv.org/abs/1409.4842, figure 2(b)
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.layers.average_to import AverageTo
from neocog.layers.reach import Reach, reach, widest

__all__ = ["AuxiliaryPool", "Inception", "InceptionWidths", "inception_module", "normalised_unit"]

EPSILON = 1e-3  # of the batch norms in all published Inception networks


class Inception(nn.ModuleDict):
    """Branches that all see the same map; their outputs are concatenated along the channels, in order."""

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The maps of all branches."""
        return torch.cat([branch(maps) for branch in self.values()], dim=1)

    def reach(self, before: Reach, side: int) -> Reach:
        """As the widest branch: see `neocog.layers.reach`."""
        return widest(*(reach(branch, before, side) for branch in self.values()))


class InceptionWidths(NamedTuple):
    """One row of the paper's table 1: how many channels each convolution of a module gives."""

    ones: int  # 1x1
    reduce_3x3: int  # 1x1 before the 3x3
    threes: int  # 3x3
    reduce_5x5: int  # 1x1 before the 5x5
    fives: int  # 5x5
    projection: int  # 1x1 after the pooling

    @property
    def channels(self) -> int:
        """Of the module's output."""
        return self.ones + self.threes + self.fives + self.projection


def inception_module(
    in_channels: int, widths: InceptionWidths, unit: Callable[[int, int, int], nn.Module], *, largest: int = 5
) -> Inception:
    """Figure 2(b): 1x1, 3x3 and 5x5 convolutions, the larger two behind 1x1 reductions, and 3x3 max pooling with projection.

    Args:
        in_channels: channels of the input.
        widths: channels of each convolution.
        unit: makes a convolution with what follows it, of (in_channels, out_channels, kernel), that keeps the size.
        largest: kernel of the branch that the paper gives 5x5.
    """
    return Inception(
        {
            "1x1": unit(in_channels, widths.ones, 1),
            "3x3": _reduced(unit(in_channels, widths.reduce_3x3, 1), unit(widths.reduce_3x3, widths.threes, 3)),
            "5x5": _reduced(unit(in_channels, widths.reduce_5x5, 1), unit(widths.reduce_5x5, widths.fives, largest)),
            "pool": _projected(nn.MaxPool2d(3, stride=1, padding=1), unit(in_channels, widths.projection, 1)),
        }
    )


def _reduced(reduce: nn.Module, conv: nn.Module) -> nn.Sequential:
    branch = nn.Sequential()
    branch.add_module("reduce", reduce)
    branch.add_module("conv", conv)
    return branch


def _projected(pool: nn.Module, project: nn.Module) -> nn.Sequential:
    branch = nn.Sequential()
    branch.add_module("pool", pool)
    branch.add_module("project", project)
    return branch


def normalised_unit(
    in_channels: int, out_channels: int, kernel: int | tuple[int, int] = 1, *, stride: int = 1, padded: bool = True
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, relu, as the Inception networks since the second have them.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of a square kernel in pixels, or height and width; odd.
        stride: step of the kernel in pixels.
        padded: whether stride 1 keeps the size; without padding the kernel stays inside the map.
    """
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (height // 2, width // 2) if padded else 0
    unit = nn.Sequential()
    unit.add_module("conv", nn.Conv2d(in_channels, out_channels, (height, width), stride=stride, padding=padding, bias=False))
    unit.add_module("norm", nn.BatchNorm2d(out_channels, eps=EPSILON))
    unit.add_module("activation", nn.ReLU(inplace=True))
    return unit


class AuxiliaryPool(nn.Module):
    """5x5 average pooling at stride 3, with which auxiliary classifiers begin, made to work on maps of any size.

    Where it would give fewer points than `least` or more than `most` along a side, the map is averaged to
    `least` x `least` instead.

    Args:
        least: points along a side that what follows needs.
        most: points along a side that it takes; None for any number.
    """

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__()
        self.least, self.most = least, most
        self.average = AverageTo(least)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """The averages."""
        sides = [(side - 5) // 3 + 1 for side in maps.shape[-2:]]
        if min(sides) >= self.least and (self.most is None or max(sides) <= self.most):
            return functional.avg_pool2d(maps, 5, stride=3)
        averages: Tensor = self.average(maps)
        return averages
