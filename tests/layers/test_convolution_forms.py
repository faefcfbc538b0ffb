import pytest
import scipy.fft
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.layers import (
    correlation_by_fft,
    correlation_by_im2col,
    correlation_by_toeplitz,
    toeplitz_matrix,
    transposed_by_col2im,
)

FORMS = [correlation_by_toeplitz, correlation_by_im2col, correlation_by_fft]


def two(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


choices = st.fixed_dictionaries(
    {"stride": two(1, 3) | st.integers(1, 3), "padding": two(0, 3), "dilation": two(1, 3), "groups": st.integers(1, 3)}
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(two(3, 11), two(1, 4), choices)
def test_every_form_equals_the_direct_one(form, size, kernel, choices):
    spans = [step * (side - 1) + 1 for step, side in zip(choices["dilation"], kernel, strict=True)]
    assume(all(side + 2 * pad >= span for side, pad, span in zip(size, choices["padding"], spans, strict=True)))
    groups = choices["groups"]
    images = torch.randn(2, 2 * groups, *size, dtype=torch.float64)
    kernels = torch.randn(3 * groups, 2, *kernel, dtype=torch.float64)
    torch.testing.assert_close(form(images, kernels, **choices), functional.conv2d(images, kernels, **choices))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_gradient_of_the_direct_one(form):
    images = torch.randn(2, 4, 6, 5, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(6, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    choices = {"stride": 2, "padding": 1, "groups": 2}
    sent = torch.randn_like(functional.conv2d(images, kernels, **choices))
    ours = torch.autograd.grad(form(images, kernels, **choices), (images, kernels), sent)
    theirs = torch.autograd.grad(functional.conv2d(images, kernels, **choices), (images, kernels), sent)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("form", FORMS)
def test_float32_is_enough(form):
    images, kernels = torch.randn(2, 8, 33, 31), torch.randn(4, 8, 7, 7)
    direct = functional.conv2d(images, kernels, padding=3)
    assert (form(images, kernels, padding=3) - direct).abs().max() < 1e-5 * direct.abs().max()


def test_transforms_have_fast_lengths(monkeypatch):
    lengths = []
    transform = torch.fft.rfft2
    monkeypatch.setattr(torch.fft, "rfft2", lambda values, s: (lengths.append(s), transform(values, s=s))[1])
    correlation_by_fft(torch.zeros(1, 1, 97, 120), torch.zeros(1, 1, 3, 3), padding=1)
    assert lengths == [(scipy.fft.next_fast_len(99, real=True), scipy.fft.next_fast_len(122, real=True))] * 2


def test_the_toeplitz_matrix_of_one_row():
    kernel = torch.tensor([[[[1.0, 2, 3]]]])
    assert toeplitz_matrix(kernel, (1, 5)).tolist() == [[1, 2, 3, 0, 0], [0, 1, 2, 3, 0], [0, 0, 1, 2, 3]]
    assert toeplitz_matrix(kernel, (1, 5), stride=2).tolist() == [[1, 2, 3, 0, 0], [0, 0, 1, 2, 3]]
    assert toeplitz_matrix(kernel, (1, 5), dilation=2).tolist() == [[1, 0, 2, 0, 3]]
    assert toeplitz_matrix(kernel, (1, 3), padding=(0, 1)).tolist() == [[2, 3, 0], [1, 2, 3], [0, 1, 2]]


def test_the_toeplitz_matrix_is_doubly_toeplitz():
    matrix = toeplitz_matrix(torch.randn(1, 1, 3, 2), (5, 4)).unflatten(0, (3, 3)).unflatten(2, (5, 4))  # y, x, row, column
    assert torch.equal(matrix[:-1, :, :-1], matrix[1:, :, 1:])  # blocks repeat along the diagonals
    assert torch.equal(matrix[:, :-1, :, :-1], matrix[:, 1:, :, 1:])  # and so do the weights within them
    assert (matrix != 0).sum(dim=(2, 3)).eq(6).all()


@settings(max_examples=60, deadline=None)
@given(two(1, 6), two(1, 4), two(1, 3), two(0, 2), two(1, 2), st.integers(0, 2), st.integers(1, 3))
def test_painting_equals_torchs_transposed_convolution(size, kernel, stride, padding, dilation, extra, groups):
    assume(extra < min(stride))
    ends = zip(size, kernel, stride, padding, dilation, strict=True)
    assume(all(step * (side - 1) + t * (k - 1) + 1 - 2 * pad + extra > 0 for side, k, step, pad, t in ends))
    maps = torch.randn(2, 2 * groups, *size, dtype=torch.float64)
    kernels = torch.randn(2 * groups, 3, *kernel, dtype=torch.float64)
    choices = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": extra}
    torch.testing.assert_close(transposed_by_col2im(maps, kernels, **choices), functional.conv_transpose2d(maps, kernels, **choices))


def test_the_worked_example_of_painting():
    maps, kernel = torch.tensor([[[[1.0, 1], [2, 3]]]]), torch.tensor([[[[1.0, 2], [3, 4]]]])
    assert transposed_by_col2im(maps, kernel)[0, 0].tolist() == [[1, 3, 2], [5, 14, 10], [6, 17, 12]]
    assert transposed_by_col2im(maps, kernel, stride=2)[0, 0].tolist() == [[1, 2, 1, 2], [3, 4, 3, 4], [2, 4, 3, 6], [6, 8, 9, 12]]


def test_painting_is_the_transposed_matrix():
    kernels = torch.randn(2, 3, 3, 3, dtype=torch.float64)
    maps = torch.randn(1, 2, 3, 3, dtype=torch.float64)
    matrix = toeplitz_matrix(kernels, (6, 6), stride=2, padding=1)
    painted = transposed_by_col2im(maps, kernels, stride=2, padding=1, output_padding=1)
    torch.testing.assert_close(painted.flatten(), maps.flatten() @ matrix)
