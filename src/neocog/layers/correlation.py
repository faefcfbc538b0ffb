"""Correlation, which networks call convolution, and true convolution, which flips the kernel first.

V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016,
https://arxiv.org/abs/1603.07285, chapter 1
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.images import Size

__all__ = ["convolution", "correlation"]


def correlation(
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b d m n"]:
    """Slide the kernels over the images as they are; what `nn.Conv2d` computes.

    out[b, d, y, x] = sum over e, i, j of kernels[d, e, i, j] * seen[b, e, y s + i t - p, x s + j t - p]
    with stride s, dilation t and padding p (zeros), where `seen` are the channels of the group that d lies in.

    Args:
        images: rows from top to bottom, columns from left to right.
        kernels: for each of d output channels, one matrix per input channel of its group: e = c / groups.
            1x1 kernels mix channels at each place by itself.
        stride: pixels from one place of the kernel to the next. This and the next two: one number, or (rows, columns).
        padding: rows and columns of zeros on each side.
        dilation: pixels from one element of the kernel to the next.
        groups: into how many parts both kinds of channels are split; each output sees one part. c groups are depthwise.
    """
    return functional.conv2d(images, kernels, None, stride, padding, dilation, groups)


def convolution(
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b d m n"]:
    """The convolution of mathematics: correlation with kernels turned by 180 degrees (channels stay in order).

    Unlike correlation it is commutative and associative, and the Fourier transform turns it into a product.

    Args:
        images: as in `correlation`, and all other arguments too.
        kernels: before they are turned.
        stride: as in `correlation`.
        padding: as in `correlation`.
        dilation: as in `correlation`.
        groups: as in `correlation`.
    """
    return correlation(images, kernels.flip(2, 3), stride=stride, padding=padding, dilation=dilation, groups=groups)
