import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.layers import batch_norm_backward, correlation_backward, max_pool_backward, toeplitz_matrix


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.fixed_dictionaries(
        {"stride": st.integers(1, 3), "padding": st.integers(0, 4), "dilation": st.integers(1, 2), "groups": st.integers(1, 3)}
    ),
)
def test_of_correlation(size, kernel, choices):
    spans = [choices["dilation"] * (side - 1) + 1 for side in kernel]
    assume(all(side + 2 * choices["padding"] >= span for side, span in zip(size, spans, strict=True)))
    images, kernels = randn(2, 2 * choices["groups"], *size), randn(3 * choices["groups"], 2, *kernel)
    out = functional.conv2d(images, kernels, **choices)
    sent = torch.randn_like(out)
    theirs = torch.autograd.grad(out, (images, kernels), sent)
    torch.testing.assert_close(correlation_backward(sent, images.detach(), kernels.detach(), **choices), theirs)


def test_of_correlation_by_the_transposed_matrix():
    images, kernels, sent = (tensor.detach() for tensor in (randn(2, 3, 6, 6), randn(4, 3, 3, 3), randn(2, 4, 3, 3)))
    matrix = toeplitz_matrix(kernels, (6, 6), stride=2, padding=1)
    by_images, _ = correlation_backward(sent, images, kernels, stride=2, padding=1)
    torch.testing.assert_close(by_images.flatten(1), sent.flatten(1) @ matrix)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 0)])
def test_of_max_pooling(kernel, stride, padding):
    maps = randn(2, 3, 8, 7)
    out, switches = functional.max_pool2d(maps, kernel, stride, padding, return_indices=True)
    sent = torch.randn_like(out)
    theirs = torch.autograd.grad(out, maps, sent)[0]
    torch.testing.assert_close(max_pool_backward(sent, switches, (8, 7)), theirs)


@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
def test_of_batch_norm(epsilon):
    maps, scale, shift = randn(4, 3, 5, 6), randn(3), randn(3)
    out = functional.batch_norm(maps, None, None, scale, shift, training=True, eps=epsilon)
    sent = torch.randn_like(out)
    theirs = torch.autograd.grad(out, (maps, scale, shift), sent)
    torch.testing.assert_close(batch_norm_backward(sent, maps.detach(), scale.detach(), epsilon), theirs)


def test_the_gradient_of_batch_norm_cannot_move_mean_and_scale():
    maps, sent = randn(4, 3, 5, 6).detach(), randn(4, 3, 5, 6).detach()
    by_maps, _, _ = batch_norm_backward(sent, maps, torch.ones(3).double(), 0.0)
    zero = torch.zeros(3).double()
    torch.testing.assert_close(by_maps.sum((0, 2, 3)), zero)
    torch.testing.assert_close((by_maps * (maps - maps.mean((0, 2, 3), keepdim=True))).sum((0, 2, 3)), zero)
