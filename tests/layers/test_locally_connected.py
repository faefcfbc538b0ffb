"""Local connections, against convolutions and against their definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.layers import LocallyConnected2d, Reach, reach


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    channels=st.integers(1, 3),
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
)
def test_with_one_kernel_everywhere_it_is_a_convolution(kernel, stride, padding, channels, size):
    convolution = nn.Conv2d(channels, 4, kernel, stride, padding)
    local = LocallyConnected2d(channels, 4, size, kernel, stride=stride, padding=padding)
    with torch.no_grad():
        local.weight.copy_(convolution.weight.flatten(1).expand_as(local.weight))
        local.bias.copy_(convolution.bias[:, None, None].expand_as(local.bias))
    images = torch.randn(2, channels, *size)
    expected = convolution(images)
    answers = local(images)
    torch.testing.assert_close(answers, expected, atol=1e-5, rtol=1e-5)
    assert local.output_size == tuple(expected.shape[2:])
    assert reach(local, Reach(2, 3, 4), 99) == reach(convolution, Reach(2, 3, 4), 99)
    assert local.multiply_adds(answers[:1]) == expected[0].numel() * convolution.weight[0].numel()


def test_each_position_has_its_own_weights_and_bias():
    local = LocallyConnected2d(2, 3, (4, 5), 2, stride=2)
    images = torch.randn(1, 2, 4, 5)
    answers = local(images)[0]
    for row in range(2):
        for column in range(2):
            window = images[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            kernels = local.weight[2 * row + column].reshape(3, 2, 2, 2)
            torch.testing.assert_close(answers[:, row, column], (kernels * window).sum(dim=(1, 2, 3)) + local.bias[:, row, column])
    (gradient,) = torch.autograd.grad(answers[1, 0, 1], local.weight)
    assert gradient.flatten(1).any(dim=1).tolist() == [False, True, False, False]


def test_initial_weights_are_within_the_bounds_of_a_convolutions():
    local = LocallyConnected2d(3, 8, (9, 9), 3)
    for parameter in local.parameters():
        assert float(parameter.detach().abs().max()) == pytest.approx(27**-0.5, rel=0.05)


def test_a_window_larger_than_the_input_is_refused():
    with pytest.raises(ValueError, match="expected") as caught:
        LocallyConnected2d(1, 1, (4, 9), 7, padding=1)
    assert str(caught.value) == "expected an input of at least 7x7 pixels with its padding of 1, found 4x9"


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match="expected") as caught:
        LocallyConnected2d(1, 1, (4, 9), 3)(torch.zeros(1, 1, 9, 4))
    assert str(caught.value) == "expected maps of 4x9 pixels, which the weights were made for, found 9x4"
