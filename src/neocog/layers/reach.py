"""How far on the image one point of a feature map looks, computed from kernels, strides and dilations.

A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
https://doi.org/10.23915/distill.00021
"""

from typing import NamedTuple

from torch import nn

__all__ = ["Reach", "reach", "widest"]

WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


class Reach(NamedTuple):
    """Where the points of a feature map lie on the image, and how much of it each one sees.

    Attributes:
        stride: pixels of the image from one point to the next.
        height: rows of the image that a point depends on.
        width: columns of the image that a point depends on.
    """

    stride: int = 1
    height: int = 1
    width: int = 1


def reach(module: nn.Module, before: Reach, side: int) -> Reach:
    """The reach of a module's output.

    Modules with branches answer by a method `reach(before, side)` of their own. Modules without children are
    taken to work point by point unless they are convolutions or poolings; what looks at the whole picture
    for a factor of each channel (squeeze and excitation) is not counted, as is usual.

    Args:
        module: convolution, pooling, pointwise or linear module, sequence of such, or one that answers itself.
        before: the reach of the module's input.
        side: the longer side of the image in pixels, which is what a linear layer sees.

    Raises:
        TypeError: a module with children that does not say how they are connected.
    """
    answer = getattr(module, "reach", None)
    if answer is not None:
        return Reach(*answer(before, side))
    if isinstance(module, nn.Sequential):
        for child in module:
            before = reach(child, before, side)
        return before
    if isinstance(module, WINDOWED):
        return _through_window(module, before)
    if isinstance(module, nn.Linear):
        return Reach(side, side, side)
    if any(True for _ in module.children()):
        raise TypeError(f"expected a sequence or a module with a method reach(before, side), found {type(module).__name__}")
    return before


def widest(*branches: Reach) -> Reach:
    """The reach of the sum or the concatenation of branches that start at one input."""
    return Reach(branches[0].stride, max(branch.height for branch in branches), max(branch.width for branch in branches))


def _through_window(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, before: Reach) -> Reach:
    kernel, stride = _pair(module.kernel_size), _pair(module.stride)
    dilation = _pair(getattr(module, "dilation", 1))
    return Reach(
        before.stride * stride[0],
        before.height + (kernel[0] - 1) * dilation[0] * before.stride,
        before.width + (kernel[1] - 1) * dilation[1] * before.stride,
    )


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else value
