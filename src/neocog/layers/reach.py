"""How far on the image one point of a feature map looks, computed from kernels, strides and dilations.

A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
https://doi.org/10.23915/distill.00021
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple

from torch import nn

__all__ = ["Reach", "reach", "recorded_reaches", "widest"]

WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
GLOBAL = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)

_RECORD: ContextVar[dict[nn.Module, "Reach"] | None] = ContextVar("record of reaches", default=None)


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
    taken to work point by point unless they are convolutions (transposed ones too) or poolings; what looks at the whole picture
    for a factor of each channel (squeeze and excitation) is not counted, as is usual. Linear layers and poolings
    to one point see the whole image, as one point.

    Args:
        module: convolution, pooling, pointwise or linear module, sequence of such, or one that answers itself.
        before: the reach of the module's input.
        side: the longer side of the image in pixels, which is what a linear layer sees.

    `recorded_reaches` keeps the answer for every module that is asked on the way.

    Raises:
        TypeError: a module with children that does not say how they are connected; a transposed convolution whose
            points would lie closer than pixels of the image.
    """
    found = _reach(module, before, side)
    record = _RECORD.get()
    if record is not None:
        record[module] = found
    return found


@contextlib.contextmanager
def recorded_reaches() -> Iterator[dict[nn.Module, Reach]]:
    """While it is open, `reach` writes into this dict what it finds for each module, however deep."""
    record: dict[nn.Module, Reach] = {}
    token = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(token)


def _reach(module: nn.Module, before: Reach, side: int) -> Reach:
    answer = getattr(module, "reach", None)
    if answer is not None:
        return Reach(*answer(before, side))
    if isinstance(module, nn.Sequential):
        for child in module:
            before = reach(child, before, side)
        return before
    if isinstance(module, WINDOWED):
        return _through_window(module, before)
    if isinstance(module, nn.ConvTranspose2d):
        return _through_transposed(module, before)
    if isinstance(module, nn.Linear) or (isinstance(module, GLOBAL) and module.output_size in (1, (1, 1))):
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


def _through_transposed(module: nn.ConvTranspose2d, before: Reach) -> Reach:
    stride = module.stride[0]
    if before.stride % stride:
        raise TypeError(f"expected maps at a stride that {stride} divides, found stride {before.stride}")
    rows, columns = map(_inputs_that_paint, module.kernel_size, module.stride, module.dilation)
    return Reach(before.stride // stride, before.height + (rows - 1) * before.stride, before.width + (columns - 1) * before.stride)


def _inputs_that_paint(kernel: int, stride: int, dilation: int) -> int:
    """From the first to the last input that paints one output, the most of all outputs."""
    taps = [dilation * place for place in range(kernel)]
    of_phases = [[tap for tap in taps if tap % stride == phase] for phase in range(stride)]
    return max((phase[-1] - phase[0]) // stride + 1 for phase in of_phases if phase)


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else value
