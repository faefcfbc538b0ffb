import math

import pytest
import torch
from torch import nn

from neocog.layers import initialise_convolutions, initialise_for, initialise_linears, initialise_truncated


def test_convolutions_have_hes_standard_deviation_by_fan_out():
    conv = nn.Conv2d(32, 64, 3)
    initialise_convolutions(nn.Sequential(conv))
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.03)
    assert not conv.bias.any()


def test_linears_have_the_given_standard_deviation():
    linear = nn.Linear(200, 200)
    initialise_linears(nn.Sequential(linear), std=0.02)
    assert linear.weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert not linear.bias.any()


@pytest.mark.parametrize(("name", "variance"), [("relu", 2 / 300), ("tanh", 2 / (300 + 100)), ("sigmoid", 2 / (300 + 100))])
def test_the_variance_suits_the_activation(name, variance):
    linear = nn.Linear(300, 100)
    initialise_for(nn.Sequential(linear), name)
    assert linear.weight.std().item() == pytest.approx(math.sqrt(variance), rel=0.03)
    assert not linear.bias.any()


def test_layers_without_bias_are_taken():
    initialise_for(nn.Sequential(nn.Conv2d(1, 1, 3, bias=False)), "relu")
    initialise_convolutions(nn.Sequential(nn.Conv2d(1, 1, 3, bias=False)))


def test_draws_come_from_the_global_generator():
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    for conv in (first, second):
        torch.manual_seed(5)
        initialise_convolutions(conv)
    assert torch.equal(first.weight, second.weight)


def test_truncated_weights_stay_within_two():
    linear = nn.Linear(300, 100)
    bias = linear.bias.clone()
    initialise_truncated(nn.Sequential(linear), std=0.1)
    assert linear.weight.std().item() == pytest.approx(0.1, rel=0.03)
    initialise_truncated(nn.Sequential(linear), std=3.0)
    assert 1.9 < linear.weight.abs().max().item() <= 2
    assert torch.equal(linear.bias, bias)
