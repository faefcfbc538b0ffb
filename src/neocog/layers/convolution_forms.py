"""The same correlation computed in three other ways: as a product with one large matrix, with one small, and by FFT.

All take what `neocog.layers.correlation` takes and give what it gives, up to rounding. They are here to be read and
to be measured (benchmarks/convolution.py); networks use `nn.Conv2d`.

im2col: K. Chellapilla, S. Puri, P. Simard, "High Performance Convolutional Neural Networks for Document
Processing", 2006, https://inria.hal.science/inria-00112631
FFT: M. Mathieu, M. Henaff, Y. LeCun, "Fast Training of Convolutional Networks through FFTs", 2013,
https://arxiv.org/abs/1312.5851
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.images import Size
from neocog.layers.sizes import output_size, transposed_output_size

__all__ = ["correlation_by_fft", "correlation_by_im2col", "correlation_by_toeplitz", "toeplitz_matrix", "transposed_by_col2im"]


def toeplitz_matrix(
    kernels: Float[Tensor, "d e i j"],
    size: Size,
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "rows columns"]:
    """The matrix that a correlation is: flattened outputs = matrix @ flattened image.

    Row (d, y, x) holds the weights of one value of the output, column (c, row, column) those of one pixel. With stride
    1 each pair of channels has a block that is doubly Toeplitz: its blocks repeat along the diagonals, and within them
    so do the weights. Nearly all is zero: i * j * e of the h * w * c values of a row are not.

    Args:
        kernels: as in `correlation`.
        size: height and width of the image in pixels.
        stride: as in `correlation`.
        padding: as in `correlation`; the columns of padded pixels, which are 0, are left out.
        dilation: as in `correlation`.
        groups: as in `correlation`.
    """
    (rows, columns), (row_step, column_step) = output_size(size, _kernel_size(kernels), stride, padding, dilation), _pair(dilation)
    (down, right), (above, left) = _pair(stride), _pair(padding)
    dense = _ungrouped(kernels, groups)
    outputs, channels, height, width = dense.shape
    y, x = torch.arange(rows)[:, None], torch.arange(columns)
    matrix = dense.new_zeros(outputs, rows, columns, channels, size[0] + 2 * above, size[1] + 2 * left)
    for i in range(height):
        for j in range(width):
            matrix[:, y, x, :, y * down + i * row_step, x * right + j * column_step] = dense[:, :, i, j]
    inside = matrix[..., above : above + size[0], left : left + size[1]]
    return inside.reshape(outputs * rows * columns, channels * size[0] * size[1])


def correlation_by_toeplitz(
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b d m n"]:
    """Correlation as one product with `toeplitz_matrix`. All arguments as in `correlation`."""
    size = (images.shape[2], images.shape[3])
    matrix = toeplitz_matrix(kernels, size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    rows, columns = output_size(size, _kernel_size(kernels), stride, padding, dilation)
    return (images.flatten(1) @ matrix.T).view(-1, len(kernels), rows, columns)


def correlation_by_im2col(
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b d m n"]:
    """Correlation as a product with every window of the image, each laid out as one column.

    The columns hold each pixel up to i * j times. All arguments as in `correlation`.
    """
    size = output_size((images.shape[2], images.shape[3]), _kernel_size(kernels), stride, padding, dilation)
    windows = functional.unfold(images, _kernel_size(kernels), dilation, padding, stride)  # b (c i j) (m n)
    grouped = kernels.flatten(1).unflatten(0, (groups, -1))  # g d/g (e i j)
    product: Tensor = grouped @ windows.unflatten(1, (groups, -1))
    return product.view(-1, len(kernels), *size)


def correlation_by_fft(
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b d m n"]:
    """Correlation as a product of Fourier transforms, the kernels' conjugated.

    The transform is circular: it is as large as the padded image, so that no window that stays inside wraps around.
    The work does not depend on the kernel's size, and a stride saves nothing: it keeps some of all values. All
    arguments as in `correlation`; float32 and float64.
    """
    (above, left), (down, right), (row_step, column_step) = _pair(padding), _pair(stride), _pair(dilation)
    size = (images.shape[2] + 2 * above, images.shape[3] + 2 * left)
    rows, columns = output_size(size, _kernel_size(kernels), 1, 0, dilation)
    length = (_fast_length(size[0]), _fast_length(size[1]))
    spread = kernels.new_zeros(*kernels.shape[:2], size[0] - rows + 1, size[1] - columns + 1)
    spread[:, :, ::row_step, ::column_step] = kernels
    spectra = torch.fft.rfft2(functional.pad(images, (left, left, above, above)), s=length).unflatten(1, (groups, -1))
    filters = torch.fft.rfft2(spread, s=length).conj().unflatten(0, (groups, -1))
    product = torch.einsum("bgeuv,gdeuv->bgduv", spectra, filters).flatten(1, 2)
    everywhere: Tensor = torch.fft.irfft2(product, s=length)
    return everywhere[:, :, :rows:down, :columns:right]


def transposed_by_col2im(
    maps: Float[Tensor, "b d m n"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int | Size = 1,
    padding: int | Size = 0,
    output_padding: int | Size = 0,
    dilation: int | Size = 1,
    groups: int = 1,
) -> Float[Tensor, "b c h w"]:
    """Transposed convolution: every value of the map paints the kernel, times itself, where `correlation` would have read it.

    As a matrix it is the transpose of `toeplitz_matrix` of the same kernels, and not its inverse. It equals
    `nn.ConvTranspose2d`, whose weights have this order of axes too.

    Args:
        maps: the smaller side of the correlation that this transposes.
        kernels: of that correlation: from e * groups channels to d.
        stride: of that correlation: pixels from one painting to the next.
        padding: of that correlation: rows and columns that are cut off on each side.
        output_padding: rows and columns more at the bottom and on the right.
        dilation: of that correlation.
        groups: of that correlation.
    """
    size = transposed_output_size((maps.shape[2], maps.shape[3]), _kernel_size(kernels), stride, padding, dilation, output_padding)
    grouped = kernels.flatten(1).unflatten(0, (groups, -1)).mT  # g (e i j) d/g
    paintings = (grouped @ maps.flatten(2).unflatten(1, (groups, -1))).flatten(1, 2)  # b (c i j) (m n)
    return functional.fold(paintings, size, _kernel_size(kernels), dilation, padding, stride)


def _ungrouped(kernels: Tensor, groups: int) -> Tensor:
    """Kernels that see all channels, with zeros for those outside their group."""
    blocks = [
        [part if row == column else torch.zeros_like(part) for column in range(groups)] for row, part in enumerate(kernels.chunk(groups))
    ]
    return torch.cat([torch.cat(row, 1) for row in blocks])


def _fast_length(least: int) -> int:
    """The least product of 2, 3 and 5 that is not smaller: such lengths transform fastest."""
    length = least
    while _without_small_factors(length) != 1:
        length += 1
    return length


def _without_small_factors(number: int) -> int:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number


def _kernel_size(kernels: Tensor) -> Size:
    return kernels.shape[2], kernels.shape[3]


def _pair(value: int | Size) -> Size:
    return (value, value) if isinstance(value, int) else value
