"""Shares that add up, by hand, against captum's sums, and to the stated tolerance on networks with many kinks."""

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from explain.asking import NETWORKS, explained, images, network

CLASSES = torch.tensor([0, 3, 1])


def test_a_product_shares_out_what_its_integral_says():
    class Product(nn.Module):
        def forward(self, maps):
            first, second = maps.flatten(1).unbind(dim=1)
            return (first**2 * second)[:, None]

    found = explained("integrated_gradients", Product(), torch.tensor([[[[0.6, 0.9]]]]), torch.tensor([0]), steps=64)
    whole = 0.6**2 * 0.9
    torch.testing.assert_close(found.maps, whole * torch.tensor([[[2 / 3, 1 / 3]]]), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.figures["difference"], torch.tensor([whole]))


@pytest.mark.parametrize("empty", ["black", "grey", "white"])
def test_captum_answers_the_same_with_the_same_pieces(empty):
    module, pictures, level = network(), images(), {"black": 0.0, "grey": 0.5, "white": 1.0}[empty]
    found = explained("integrated_gradients", module, pictures, CLASSES, steps=20, most_steps=20, empty=empty)
    captums = IntegratedGradients(module).attribute(
        pictures, baselines=torch.full_like(pictures, level), target=CLASSES, n_steps=20, method="riemann_middle"
    )
    torch.testing.assert_close(found.maps, captums.sum(dim=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_shares_add_up_to_the_difference(kind):
    module, pictures = network(kind), images()
    found = explained("integrated_gradients", module, pictures, CLASSES, most_steps=4096)
    with torch.no_grad():
        difference = (module(pictures) - module(torch.zeros_like(pictures))).gather(1, CLASSES[:, None])[:, 0]
    torch.testing.assert_close(found.figures["difference"], difference, rtol=1e-4, atol=1e-6)
    error = (found.maps.sum(dim=(1, 2)) - difference).abs() / difference.abs()
    assert error.max() <= 1.1e-3
    torch.testing.assert_close(found.figures["completeness_error"], error, rtol=0.05, atol=1e-5)


def test_halving_the_pieces_that_are_off_takes_fewer_derivatives_than_equal_pieces(monkeypatch):
    from neocog.explain import integrated_gradients

    count = 0
    plain = integrated_gradients.with_gradient

    def counted(objective, pictures):
        nonlocal count
        count += len(pictures)
        return plain(objective, pictures)

    monkeypatch.setattr(integrated_gradients, "with_gradient", counted)
    found = explained("integrated_gradients", network(), images(1), CLASSES[:1], most_steps=4096, tolerance=1e-4)
    needed = count
    assert found.figures["completeness_error"] <= 1e-4
    equal = explained("integrated_gradients", network(), images(1), CLASSES[:1], steps=needed, most_steps=needed)
    assert found.figures["completeness_error"] <= equal.figures["completeness_error"]


def test_where_the_steps_do_not_reach_the_error_says_so():
    found = explained("integrated_gradients", network(), images(), CLASSES, steps=1, most_steps=1)
    assert found.figures["completeness_error"].max() > 1e-3


def test_an_image_that_is_empty_gets_nothing():
    found = explained("integrated_gradients", network(), torch.zeros(1, 3, 12, 12), CLASSES[:1])
    assert found.maps.abs().max() == 0
    assert found.figures["completeness_error"].item() == 0
