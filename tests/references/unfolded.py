"""Convolution as one matrix product over the windows of the image, for references that call no convolution."""

from torch import Tensor
from torch.nn import functional

__all__ = ["convolve"]


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Each window's pixels in a column, times a matrix that has a row for each output map."""
    kernel = weight.shape[-1]
    columns = functional.unfold(images, kernel, padding=padding, stride=stride)
    products = weight.flatten(1) @ columns
    if bias is not None:
        products = products + bias[:, None]
    height = (images.shape[2] + 2 * padding - kernel) // stride + 1
    return products.unflatten(2, (height, -1))
