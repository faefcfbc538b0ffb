"""Curves of a network whose probability is known by hand, and orders that are right, wrong and random."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from explain.asking import Asking, images
from neocog.explain.deletion import blurred, curves, order_of


class Counting(nn.Module):
    """The logit of class 0 is the mean of the image above its dark half."""

    def forward(self, maps):
        score = 4 * maps.mean(dim=(1, 2, 3))
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def half_light(side=8):
    """Two pictures that are white above and black below."""
    picture = torch.zeros(2, 3, side, side)
    picture[:, :, : side // 2] = 1
    return picture


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_curves_by_hand():
    pictures, objective = half_light(), Asking(Counting(), torch.tensor([0, 0]))
    order = torch.arange(64).expand(2, 64).contiguous()
    found = curves(objective, pictures, order, steps=4)
    assert found.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    # white becomes the mean colour 0.5 first, then black does
    means = [0.5, 0.375, 0.25, 0.375, 0.5]
    torch.testing.assert_close(found.deletion[0], torch.tensor([sigmoid(4 * mean) for mean in means]))
    torch.testing.assert_close(found.deletion[1], found.deletion[0])
    area = sum((sigmoid(4 * a) + sigmoid(4 * b)) / 2 * 0.25 for a, b in pairwise(means))
    assert found.deletion_area[0].item() == pytest.approx(area, abs=1e-6)
    assert found.insertion[0, -1].item() == pytest.approx(sigmoid(2))
    assert found.insertion[0, 0].item() == pytest.approx(sigmoid(4 * blurred(pictures)[0].mean().item()))


class OnePlace(nn.Module):
    def forward(self, maps):
        score = 40 * (maps[:, :, 2, 3].mean(dim=1) - 0.5)
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def test_the_right_order_beats_a_random_one_and_the_wrong_one_is_worst():
    pictures, objective = torch.zeros(1, 3, 8, 8), Asking(OnePlace(), torch.tensor([0]))
    pictures[:, :, 2, 3] = 1
    right = torch.zeros(1, 8, 8)
    right[0, 2, 3] = 1
    found = {
        name: curves(objective, pictures, order_of(maps, draws()), steps=64)
        for name, maps in (("right", right), ("random", torch.zeros(1, 8, 8)), ("wrong", -right))
    }
    deletion = [found[name].deletion_area.item() for name in ("right", "random", "wrong")]
    insertion = [found[name].insertion_area.item() for name in ("right", "random", "wrong")]
    assert deletion == sorted(deletion)
    assert insertion == sorted(insertion, reverse=True)
    assert deletion[0] < 0.02
    assert insertion[0] > 0.98


def test_the_order_is_that_of_the_values_and_ties_are_drawn():
    maps = torch.tensor([[[0.1, 0.5], [0.9, 0.3]], [[0.0, 1.0], [0.0, 0.0]]])
    order = order_of(maps, draws())
    assert order[0].tolist() == [2, 1, 3, 0]
    assert order[1, 0] == 1
    assert sorted(order[1].tolist()) == [0, 1, 2, 3]
    flat = torch.zeros(2, 20, 20)
    assert torch.equal(order_of(flat, draws())[0], order_of(flat, draws())[1])
    assert torch.equal(order_of(flat, draws()), order_of(flat, draws()))
    assert not torch.equal(order_of(flat, draws()), order_of(flat, draws(1)))
    assert order_of(flat, draws())[0].tolist() != list(range(400))


def test_a_picture_does_not_depend_on_what_is_beside_it():
    pictures, classes = images(3, 8), torch.tensor([0, 1, 0])
    order = order_of(pictures.sum(dim=1), draws())
    together = curves(Asking(Counting(), classes), pictures, order, steps=5)
    alone = curves(Asking(Counting(), classes[1:2]), pictures[1:2], order[1:2], steps=5)
    torch.testing.assert_close(alone.deletion[0], together.deletion[1])
    torch.testing.assert_close(alone.insertion[0], together.insertion[1])


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (8, 8), (60, 40)])
def test_blurring_keeps_the_mean_colour_and_flattens(size):
    pictures = torch.rand(2, 3, *size)
    soft = blurred(pictures)
    assert soft.shape == pictures.shape
    assert soft.std() <= pictures.std() + 1e-6
    flat = torch.full((1, 3, *size), 0.3)
    torch.testing.assert_close(blurred(flat), flat)
