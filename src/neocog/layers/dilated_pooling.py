"""Poolings whose windows have gaps, padded by any number of pixels, which torch's are not.

L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, "Semantic Image Segmentation with Deep Convolutional
Nets and Fully Connected CRFs", 2014, https://arxiv.org/abs/1412.7062, section 3.1 (the hole algorithm)

torch pads a pooling by half of its window's elements at most, however far apart they are, and has no average pooling with
gaps at all.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.images import Size

__all__ = ["DilatedAvgPool2d", "DilatedMaxPool2d"]


class DilatedMaxPool2d(nn.MaxPool2d):
    """The maximum of the elements of each window that lie on the map.

    Args:
        kernel: rows and columns of elements.
        stride: from one window to the next, in pixels.
        padding: rows and columns around the map that windows may reach.
        dilation: from one element to the next, in pixels.
        beyond: how many rows and columns further they may reach below and on the right.
    """

    kernel_size: Size
    padding: Size

    def __init__(self, kernel: Size, *, stride: Size, padding: Size, dilation: Size, beyond: Size = (0, 0)) -> None:
        super().__init__(kernel, stride, padding, dilation)
        self.beyond = beyond

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """The maxima."""
        around = functional.pad(maps, _around(self.padding, self.beyond), value=float("-inf"))
        return functional.max_pool2d(around, self.kernel_size, self.stride, 0, self.dilation)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, beyond={self.beyond}"


class DilatedAvgPool2d(nn.AvgPool2d):
    """The mean of each window's elements.

    Args:
        kernel: rows and columns of elements.
        stride: from one window to the next, in pixels.
        padding: rows and columns of zeros around the map.
        dilation: from one element to the next, in pixels.
        beyond: how many rows and columns further windows may reach below and on the right; elements there never count.
        count_include_pad: whether the zeros of the padding count as elements.
        divisor: what sums are divided by instead of the number of elements.
    """

    kernel_size: Size
    padding: Size

    def __init__(
        self,
        kernel: Size,
        *,
        stride: Size,
        padding: Size,
        dilation: Size,
        beyond: Size = (0, 0),
        count_include_pad: bool = True,
        divisor: int | None = None,
    ) -> None:
        super().__init__(kernel, stride, padding, count_include_pad=count_include_pad, divisor_override=divisor)
        self.dilation, self.beyond = dilation, beyond

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """The means."""
        around = functional.pad(maps, _around(self.padding, self.beyond))
        return self._sums(around) / self._divisor(maps)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, dilation={self.dilation}, beyond={self.beyond}"

    def _divisor(self, maps: Tensor) -> Tensor | int:
        """How many elements each window has, where that is not one number for all."""
        if self.divisor_override:
            return self.divisor_override
        rows, columns = self.kernel_size
        if not any(self.beyond) and (self.count_include_pad or not any(self.padding)):
            return rows * columns
        counted = functional.pad(maps.new_ones(1, 1, *maps.shape[2:]), _around(self.padding, (0, 0)), value=float(self.count_include_pad))
        return self._sums(functional.pad(counted, _around((0, 0), self.beyond)))

    def _sums(self, maps: Tensor) -> Tensor:
        """Of every window: a convolution of each channel by itself with ones."""
        channels = maps.shape[1]
        ones = maps.new_ones(channels, 1, *self.kernel_size)
        return functional.conv2d(maps, ones, stride=self.stride, dilation=self.dilation, groups=channels)


def _around(padding: Size, beyond: Size) -> list[int]:
    """Pixels on the left, on the right, above and below."""
    (rows, columns), (below, behind) = padding, beyond
    return [columns, columns + behind, rows, rows + below]
