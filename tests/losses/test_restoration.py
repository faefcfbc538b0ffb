"""The losses of restoration against their formulas."""

import pytest
import torch

from neocog.losses import RESTORATION_LOSSES
from neocog.losses.charbonnier import EPSILON

FORMULAS = {
    "squared": lambda difference: difference**2,
    "l1": abs,
    "charbonnier": lambda difference: (difference**2 + EPSILON**2) ** 0.5,
}


def images(seed):
    return torch.rand(3, 2, 5, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_loss_has_its_formula():
    assert set(FORMULAS) == set(RESTORATION_LOSSES)


@pytest.mark.parametrize("name", RESTORATION_LOSSES)
def test_a_sum_over_each_picture_and_a_mean_over_the_pictures(name):
    restored, clean = images(0), images(1)
    values = [FORMULAS[name](difference) for difference in (restored - clean).flatten().tolist()]
    assert float(RESTORATION_LOSSES[name](restored, clean)) == pytest.approx(sum(values) / 3)


@pytest.mark.parametrize("name", RESTORATION_LOSSES)
def test_padding_does_not_count(name):
    restored, clean, valid = images(0), images(1), torch.ones(3, 5, 4, dtype=torch.bool)
    valid[1, :, 2:] = False
    loss = RESTORATION_LOSSES[name](restored, clean, valid)
    other = restored.clone()
    other[1, :, :, 2:] += 9
    assert RESTORATION_LOSSES[name](other, clean, valid) == loss
    assert loss < RESTORATION_LOSSES[name](restored, clean)


@pytest.mark.parametrize("name", RESTORATION_LOSSES)
def test_the_gradient_is_that_of_finite_differences(name):
    restored = images(0).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda image: RESTORATION_LOSSES[name](image, images(1)), (restored,))


def test_charbonnier_has_a_gradient_where_nothing_differs():
    restored = images(0).requires_grad_(True)
    RESTORATION_LOSSES["charbonnier"](restored, images(0)).backward()
    assert torch.equal(restored.grad, torch.zeros_like(restored))
