import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.layers import LocalResponseNorm


def one_by_one(maps, size, alpha, beta, k):
    """The paper's formula, channel by channel."""
    out = torch.empty_like(maps)
    for channel in range(maps.shape[1]):
        window = maps[:, max(0, channel - size // 2) : channel + (size - 1) // 2 + 1]
        out[:, channel] = maps[:, channel] / (k + alpha * (window**2).sum(1)) ** beta
    return out


choices = given(
    st.integers(1, 9), st.integers(1, 7), st.floats(1e-4, 1.0), st.sampled_from([0.5, 0.75, 1.0]), st.floats(0.5, 2.0), st.booleans()
)


@settings(max_examples=40, deadline=None)
@choices
def test_equals_the_formula_and_torchs_module_with_alpha_times_size(channels, size, alpha, beta, k, tracked):
    maps = torch.randn(2, channels, 3, 4, dtype=torch.float64, requires_grad=tracked)
    ours = LocalResponseNorm(size, alpha, beta, k)(maps)
    torch.testing.assert_close(ours, one_by_one(maps.detach(), size, alpha, beta, k).requires_grad_(tracked))
    torch.testing.assert_close(ours, nn.LocalResponseNorm(size, alpha * size, beta, k)(maps))


@settings(max_examples=20, deadline=None)
@choices
def test_the_gradient_equals_that_of_torchs_module(channels, size, alpha, beta, k, tracked):
    maps, sent = torch.randn(2, 2, channels, 3, 4, dtype=torch.float64).unbind()
    gradients = []
    for module in (LocalResponseNorm(size, alpha, beta, k), nn.LocalResponseNorm(size, alpha * size, beta, k)):
        leaf = maps.clone().requires_grad_()
        gradients.append(torch.autograd.grad(module(leaf), leaf, sent)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("size", [4, 5])
def test_first_and_second_derivatives_are_right(size):
    maps = torch.randn(1, 6, 2, 1, dtype=torch.float64, requires_grad=True)
    module = LocalResponseNorm(size, 0.3)
    assert torch.autograd.gradcheck(module, maps)
    assert torch.autograd.gradgradcheck(module, maps)


def test_gradients_of_single_samples_can_be_asked_for_at_once():
    maps = torch.randn(3, 1, 4, 2, 2)
    module = LocalResponseNorm(3, 0.5)
    together = torch.vmap(torch.func.grad(lambda one: module(one).sum()))(maps)
    apart = torch.stack([torch.func.grad(lambda one: module(one).sum())(one) for one in maps])
    torch.testing.assert_close(together, apart)


def test_the_defaults_are_the_papers():
    module = LocalResponseNorm()
    assert (module.size, module.alpha, module.beta, module.k) == (5, 1e-4, 0.75, 2.0)
    assert repr(module) == "LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=2)"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_only_once(dtype):
    maps = torch.randn(1, 8, 3, 3).to(dtype).requires_grad_()
    out = LocalResponseNorm(alpha=0.1)(maps)
    assert torch.equal(out, LocalResponseNorm(alpha=0.1)(maps.detach().float()).to(dtype))


def test_the_memory_layout_and_the_input_stay():
    maps = torch.randn(2, 8, 3, 3).to(memory_format=torch.channels_last)
    before = maps.clone()
    assert LocalResponseNorm()(maps).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(maps, before)


def test_it_runs_without_storage():
    assert LocalResponseNorm()(torch.empty(1, 8, 3, 3, device="meta")).shape == (1, 8, 3, 3)
