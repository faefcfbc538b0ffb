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
PADS = (nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d)
GLOBAL = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)

Pair = tuple[int, int]  # rows, columns

_RECORD: ContextVar[dict[nn.Module, "Reach"] | None] = ContextVar("record of reaches", default=None)


class Reach(NamedTuple):
    """Where the points of a feature map lie on the image, and how much of it each one sees.

    The window of the point in row i and column j begins at row `top + i * stride` and column `left + j * stride`; where
    that is outside of the image, the point sees padding there.

    Attributes:
        stride: pixels of the image from one point to the next.
        height: rows of the image that a point depends on.
        width: columns of the image that a point depends on.
        top: the first row that the first point depends on; below 0 where padding comes before the image.
        left: the first column that the first point depends on.
    """

    stride: int = 1
    height: int = 1
    width: int = 1
    top: int = 0
    left: int = 0

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the image in the middle of the first point's window: whole, or between two pixels."""
        return self.top + (self.height - 1) / 2, self.left + (self.width - 1) / 2

    def through(self, kernel: int | Pair, *, stride: int | Pair = 1, padding: int | Pair = 0, dilation: int | Pair = 1) -> "Reach":
        """The reach of a convolution or pooling of what has this reach.

        Args:
            kernel: rows and columns of its window, or one number for both; so are the others.
            stride: from one window to the next. A reach has one stride for both directions, the rows'.
            padding: rows and columns before the first; negative where the outermost ones are left out.
            dilation: from one weight to the next.
        """
        rows, columns = _pair(kernel)
        above, before = _pair(padding)
        down, across = _pair(dilation)
        return Reach(
            self.stride * _pair(stride)[0],
            self.height + (rows - 1) * down * self.stride,
            self.width + (columns - 1) * across * self.stride,
            self.top - above * self.stride,
            self.left - before * self.stride,
        )


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
    if isinstance(module, PADS):
        left, _, above, _ = module.padding
        return before.through(1, padding=(above, left))
    if isinstance(module, nn.Linear) or (isinstance(module, GLOBAL) and module.output_size in (1, (1, 1))):
        return Reach(side, side, side)
    if any(True for _ in module.children()):
        raise TypeError(f"expected a sequence or a module with a method reach(before, side), found {type(module).__name__}")
    return before


def widest(*branches: Reach) -> Reach:
    """The reach of the sum or the concatenation of branches that start at one input: from the first pixel that one sees to the last."""
    top, left = min(branch.top for branch in branches), min(branch.left for branch in branches)
    bottom, right = max(branch.top + branch.height for branch in branches), max(branch.left + branch.width for branch in branches)
    return Reach(branches[0].stride, bottom - top, right - left, top, left)


def _through_window(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, before: Reach) -> Reach:
    kernel, dilation = _pair(module.kernel_size), _pair(getattr(module, "dilation", 1))
    padding = _padding(module.padding, kernel, dilation)
    return before.through(kernel, stride=_pair(module.stride), padding=padding, dilation=dilation)


def _padding(padding: str | int | tuple[int, ...], kernel: Pair, dilation: Pair) -> Pair:
    """Rows and columns before the first, as torch understands them."""
    if not isinstance(padding, str):
        return _pair(padding)
    if padding == "valid":
        return 0, 0
    rows, columns = (step * (side - 1) // 2 for side, step in zip(kernel, dilation, strict=True))  # "same": an odd one comes behind
    return rows, columns


def _through_transposed(module: nn.ConvTranspose2d, before: Reach) -> Reach:
    """Points of different phases see windows that differ by a point of the input; the size is the largest, the place that of the first."""
    stride = module.stride[0]
    if before.stride % stride:
        raise TypeError(f"expected maps at a stride that {stride} divides, found stride {before.stride}")
    rows, columns = map(_inputs_that_paint, module.kernel_size, module.stride, module.dilation)
    above, left = map(_first_that_paints, module.kernel_size, module.stride, module.dilation, map(int, module.padding))
    return Reach(
        before.stride // stride,
        before.height + (rows - 1) * before.stride,
        before.width + (columns - 1) * before.stride,
        before.top + above * before.stride,
        before.left + left * before.stride,
    )


def _inputs_that_paint(kernel: int, stride: int, dilation: int) -> int:
    """From the first to the last input that paints one output, the most of all outputs."""
    taps = [dilation * place for place in range(kernel)]
    of_phases = [[tap for tap in taps if tap % stride == phase] for phase in range(stride)]
    return max((phase[-1] - phase[0]) // stride + 1 for phase in of_phases if phase)


def _first_that_paints(kernel: int, stride: int, dilation: int, padding: int) -> int:
    """The first input that can paint the first output; below 0 before the map."""
    return -((dilation * (kernel - 1) - padding) // stride)


def _pair(value: int | tuple[int, ...]) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
