import pytest
import torch
from torch.nn import functional

from neocog.layers import convolution, correlation

IMAGE = torch.tensor([[[[0.0, 80, 40], [20, 40, 0], [0, 0, 40]]]])
KERNEL = torch.tensor([[[[0.0, 0.25], [0.5, 1]]]])


def test_the_worked_example():
    assert convolution(IMAGE, KERNEL).flatten().tolist() == [45, 110, 40, 40]
    assert correlation(IMAGE, KERNEL).flatten().tolist() == [70, 30, 10, 40]


def by_the_sum(images, kernels, stride, padding, dilation, groups):
    """The sum of the docstring, term by term."""
    padded = functional.pad(images, [padding] * 4)
    outputs, per_group, height, width = kernels.shape
    rows = (padded.shape[2] - dilation * (height - 1) - 1) // stride + 1
    columns = (padded.shape[3] - dilation * (width - 1) - 1) // stride + 1
    out = torch.zeros(len(images), outputs, rows, columns, dtype=images.dtype)
    for d in range(outputs):
        first = d // (outputs // groups) * per_group
        for y in range(rows):
            for x in range(columns):
                for i in range(height):
                    for j in range(width):
                        seen = padded[:, first : first + per_group, y * stride + i * dilation, x * stride + j * dilation]
                        out[:, d, y, x] += seen @ kernels[d, :, i, j]
    return out


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 4), (3, 1, 2, 1)])
def test_correlation_is_the_sum_that_it_says(stride, padding, dilation, groups):
    images, kernels = torch.randn(2, 4, 7, 6).double(), torch.randn(4, 4 // groups, 3, 2).double()
    found = correlation(images, kernels, stride=stride, padding=padding, dilation=dilation, groups=groups)
    torch.testing.assert_close(found, by_the_sum(images, kernels, stride, padding, dilation, groups))


def test_convolution_turns_the_kernel_and_no_more():
    images, kernels = torch.randn(1, 4, 7, 7), torch.randn(6, 2, 3, 3)
    choices = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    assert torch.equal(convolution(images, kernels, **choices), correlation(images, kernels.rot90(2, (2, 3)), **choices))


def test_convolution_is_commutative_and_associative_and_correlation_is_not():
    a, b, c = (torch.randn(1, 1, side, side).double() for side in (6, 3, 2))

    def full(operation, first, second):
        return operation(first, second, padding=second.shape[2] - 1)

    torch.testing.assert_close(full(convolution, a, b), full(convolution, b, a))
    torch.testing.assert_close(full(convolution, full(convolution, a, b), c), full(convolution, a, full(convolution, b, c)))
    assert not torch.allclose(full(correlation, a, b), full(correlation, b, a))


def test_a_1x1_kernel_mixes_channels_at_each_place():
    images, kernels = torch.randn(2, 3, 4, 5), torch.randn(7, 3, 1, 1)
    places = images.permute(0, 2, 3, 1) @ kernels[:, :, 0, 0].T
    torch.testing.assert_close(correlation(images, kernels), places.permute(0, 3, 1, 2))


def test_dilation_spreads_the_kernel_with_zeros_between():
    images, kernels = torch.randn(1, 1, 8, 8), torch.randn(1, 1, 3, 3)
    spread = torch.zeros(1, 1, 5, 5)
    spread[..., ::2, ::2] = kernels
    torch.testing.assert_close(correlation(images, kernels, dilation=2), correlation(images, spread))


def test_groups_are_correlations_side_by_side():
    images, kernels = torch.randn(1, 6, 5, 5), torch.randn(4, 3, 3, 3)
    apart = [correlation(part, kernel) for part, kernel in zip(images.chunk(2, 1), kernels.chunk(2), strict=True)]
    torch.testing.assert_close(correlation(images, kernels, groups=2), torch.cat(apart, 1))
