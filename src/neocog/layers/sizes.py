"""The sizes of maps before and after a convolution or a pooling.

V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016,
https://arxiv.org/abs/1603.07285, relationships 6, 14 and 15
"""

from collections.abc import Sequence
from typing import overload

from neocog.errors import UsageError
from neocog.images import Size

__all__ = ["output_size", "transposed_output_size"]

Extent = int | Size
"""Height and width, or one number for both."""


@overload
def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, strict: bool = False) -> int: ...
@overload
def output_size(
    size: Size, kernel: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, strict: bool = False
) -> Size: ...
def output_size(
    size: Extent, kernel: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, strict: bool = False
) -> Extent:
    """The size of the map that a convolution or a pooling gives: (size + 2 padding - span) / stride + 1.

    The span of a kernel is dilation * (kernel - 1) + 1. Where the division leaves a remainder, the last rows or
    columns of the image are never looked at and the result is rounded down, as torch does.

    Args:
        size: of the image in pixels. This and all others: one number for height and width, or (height, width).
        kernel: of the filter or of the pooling's window.
        stride: of the kernel.
        padding: rows and columns of zeros added on each side.
        dilation: pixels from one element of the kernel to the next.
        strict: refuse what leaves a remainder.

    Returns:
        one number where `size` is one, else (height, width).

    Raises:
        UsageError: the kernel is larger than the padded image; `strict`, and the division leaves a remainder (the
            text says the paddings and the smaller strides that fit); a number out of its range.
    """
    sizes, strides, paddings = _pair(size), _pair(stride), _pair(padding)
    _check(sizes, _pair(kernel), strides, paddings, _pair(dilation))
    spans = _spans(kernel, dilation)
    rests = [side + 2 * pad - span for side, pad, span in zip(sizes, paddings, spans, strict=True)]
    if min(rests) < 0:
        least = max(-(rest // 2) + pad for rest, pad in zip(rests, paddings, strict=True))
        around = f" padded by {_short(paddings)}" if any(paddings) else ""
        remedy = f"pad by {least} or use a smaller filter"
        raise UsageError(f"{_filter_in_words(kernel, dilation)} no larger than the image", f"{_times(sizes)}{around}", remedy)
    if strict and not _divides(rests, strides):
        around = f" and padding {_short(paddings)}" if any(paddings) else ""
        raise UsageError(
            f"{_filter_in_words(kernel, dilation)} with stride {_short(strides)}{around} that fits {_times(sizes)}",
            _arithmetic(sizes, spans, strides, paddings),
            _remedy(sizes, spans, strides, paddings),
        )
    found = (rests[0] // strides[0] + 1, rests[1] // strides[1] + 1)
    return found[0] if isinstance(size, int) else found


@overload
def transposed_output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0
) -> int: ...
@overload
def transposed_output_size(
    size: Size, kernel: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, output_padding: Extent = 0
) -> Size: ...
def transposed_output_size(
    size: Extent, kernel: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1, output_padding: Extent = 0
) -> Extent:
    """The size that a transposed convolution gives: stride * (size - 1) + span - 2 padding + output padding.

    It is the inverse of `output_size`: the smallest image from which a convolution with the same numbers makes
    a map of `size`. With stride s there are s such images; `output_padding` chooses among them.

    Args:
        size: of the map that enters; pairs and numbers as in `output_size`.
        kernel: of the filter.
        stride: of the convolution whose transpose this is.
        padding: of the same convolution; here it cuts the result.
        dilation: pixels from one element of the kernel to the next.
        output_padding: rows and columns more at the bottom and on the right, in [0, stride).

    Returns:
        one number where `size` is one, else (height, width).

    Raises:
        UsageError: a number out of its range, or nothing is left of the result.
    """
    sizes, strides, paddings, more = _pair(size), _pair(stride), _pair(padding), _pair(output_padding)
    _check(sizes, _pair(kernel), strides, paddings, _pair(dilation))
    if any(not 0 <= extra < step for extra, step in zip(more, strides, strict=True)):
        raise UsageError("an output padding from 0 to below the stride", f"{_short(more)} with stride {_short(strides)}", "make it smaller")
    rows, columns = (
        step * (side - 1) + span - 2 * pad + extra
        for side, step, span, pad, extra in zip(sizes, strides, _spans(kernel, dilation), paddings, more, strict=True)
    )
    if min(rows, columns) < 1:
        raise UsageError("a padding that leaves something of the result", f"{rows}x{columns} with padding {_short(paddings)}", "pad less")
    return rows if isinstance(size, int) else (rows, columns)


def _check(sizes: Size, kernels: Size, strides: Size, paddings: Size, dilations: Size) -> None:
    if min(*sizes, *kernels, *strides, *dilations) < 1 or min(paddings) < 0:
        found = f"size {_times(sizes)}, kernel {_times(kernels)}, stride {_short(strides)}"
        found += f", padding {_short(paddings)}, dilation {_short(dilations)}"
        raise UsageError("size, kernel, stride and dilation of at least 1, padding of at least 0", found, "correct the number")


def _remedy(sizes: Size, spans: Size, strides: Size, paddings: Size) -> str:
    """The larger paddings, below the span, and the smaller strides that fit both axes; sizes nearby where no padding does."""

    def fits(sizes: Size, strides: Size, paddings: Size) -> bool:
        return _divides([side + 2 * pad - span for side, pad, span in zip(sizes, paddings, spans, strict=True)], strides)

    pads = [pad for pad in range(max(paddings) + 1, max(spans)) if fits(sizes, strides, (pad, pad))]
    steps = [step for step in range(1, max(strides)) if fits(sizes, (step, step), paddings)]
    if pads:
        return f"pad by {_either(pads)} or use stride {_either(steps)}"
    rests = [(side + 2 * pad - span) % step for side, pad, span, step in zip(sizes, paddings, spans, strides, strict=True)]
    smaller = (sizes[0] - rests[0], sizes[1] - rests[1])
    larger = (
        sizes[0] + -(sizes[0] + 2 * paddings[0] - spans[0]) % strides[0],
        sizes[1] + -(sizes[1] + 2 * paddings[1] - spans[1]) % strides[1],
    )
    near = [_times(near) for near in (smaller, larger) if min(near) > 0]
    return f"use stride {_either(steps)} or images of {_either(near)}"


def _divides(rests: Sequence[int], strides: Size) -> bool:
    return all(rest % step == 0 for rest, step in zip(rests, strides, strict=True))


def _arithmetic(sizes: Size, spans: Size, strides: Size, paddings: Size) -> str:
    """The divisions that leave a remainder; one of two alike."""
    said = []
    for side, span, step, pad in zip(sizes, spans, strides, paddings, strict=True):
        if (side + 2 * pad - span) % step:
            padded = f"{side} + 2*{pad}" if pad else f"{side}"
            said.append(f"({padded} - {span})/{step} + 1 = {(side + 2 * pad - span) / step + 1:.2f}")
    return " and ".join(dict.fromkeys(said))


def _filter_in_words(kernel: Extent, dilation: Extent) -> str:
    spans = _spans(kernel, dilation)
    spread = f", which with dilation {_short(_pair(dilation))} spans {_times(spans)}," if spans != _pair(kernel) else ""
    return f"a filter of {_times(_pair(kernel))}{spread}"


def _spans(kernel: Extent, dilation: Extent) -> Size:
    kernels, dilations = _pair(kernel), _pair(dilation)
    return dilations[0] * (kernels[0] - 1) + 1, dilations[1] * (kernels[1] - 1) + 1


def _pair(value: Extent) -> Size:
    return (value, value) if isinstance(value, int) else value


def _times(pair: Size) -> str:
    return f"{pair[0]}x{pair[1]}"


def _short(pair: Size) -> str:
    return str(pair[0]) if pair[0] == pair[1] else _times(pair)


def _either(choices: Sequence[object]) -> str:
    *others, last = map(str, choices)
    return f"{', '.join(others)} or {last}" if others else last
