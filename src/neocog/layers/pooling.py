"""Poolings that torch does not have: the sum over a window, and blurring before pixels are dropped.

R. Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019, https://arxiv.org/abs/1904.11486, section 3
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.images import Size
from neocog.layers.filters import binomial
from neocog.layers.reach import Reach

__all__ = ["BlurPool2d", "SumPool2d"]


class SumPool2d(nn.AvgPool2d):
    """The sum of each window: average pooling times the number of its elements.

    Args:
        kernel_size: of the window in pixels: one number, or (rows, columns).
        stride: from one window to the next; None for windows side by side.
        padding: rows and columns of zeros on each side.
    """

    def __init__(self, kernel_size: int | Size, stride: int | Size | None = None, padding: int | Size = 0) -> None:
        super().__init__(kernel_size, stride, padding, divisor_override=1)


class BlurPool2d(nn.Module):
    """Blurs each channel by a binomial kernel, then keeps every stride-th pixel.

    Dropping pixels lets fine structure pass for coarse (aliasing), so that an output changes when the picture moves by
    one pixel. The paper's max pooling without it is `nn.Sequential(nn.MaxPool2d(2, stride=1), BlurPool2d())`; a strided
    convolution becomes one of stride 1 and this. Borders are mirrored.

    Args:
        stride: pixels from one place that is kept to the next.
        size: side of the kernel: 3 is 1/16 [[1, 2, 1], [2, 4, 2], [1, 2, 1]].
    """

    kernel: Tensor

    def __init__(self, stride: int = 2, size: int = 3) -> None:
        super().__init__()
        self.stride, self.size = stride, size
        row = binomial(size)
        self.register_buffer("kernel", row[:, None] * row, persistent=False)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """The blurred maps at `stride`; height and width must be larger than size // 2."""
        before, after = (self.size - 1) // 2, self.size // 2
        channels = maps.shape[1]
        padded = functional.pad(maps, (before, after, before, after), mode="reflect")
        return functional.conv2d(padded, self.kernel.expand(channels, 1, -1, -1), stride=self.stride, groups=channels)

    def extra_repr(self) -> str:
        return f"stride={self.stride}, size={self.size}"

    def reach(self, before: Reach, side: int) -> Reach:
        """As a convolution of this kernel: see `neocog.layers.reach`."""
        return before.through(self.size, stride=self.stride, padding=(self.size - 1) // 2)
