import math

import pytest
import torch
from torch import nn

from neocog.layers import ScaledTanh, initialise_for_scaled_tanh, uniform_by_fan_in


def test_it_maps_1_to_1_and_is_odd():
    squash = ScaledTanh()
    points = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(squash(points), points, atol=1e-4, rtol=0)
    many = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(squash(many), torch.tensor([1.7159 * math.tanh(2 * x / 3) for x in many.tolist()], dtype=torch.float64))
    assert torch.equal(squash(-many), -squash(many))


def test_it_bends_most_at_1_and_minus_1():
    points = torch.linspace(-3, 3, 6001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(ScaledTanh()(points).sum(), points, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), points)
    assert points[bend.argmin()].item() == pytest.approx(1, abs=0.02)
    assert points[bend.argmax()].item() == pytest.approx(-1, abs=0.02)
    assert slope.max().item() == pytest.approx(1.7159 * 2 / 3)


def test_weights_are_uniform_by_fan_in():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(4, 50, 3), nn.Linear(60, 50), nn.Conv2d(4, 4, 1, bias=False))
    initialise_for_scaled_tanh(module)
    for layer, fan_in in ((module[0], 36), (module[1], 60)):
        assert 0.99 * 2.4 / fan_in < layer.weight.abs().max() <= 2.4 / fan_in
        assert abs(layer.weight.mean().item()) < 0.1 * 2.4 / fan_in
        assert not layer.bias.any()


def test_each_weight_may_have_a_fan_in_of_its_own():
    weight = torch.empty(2, 1000)
    uniform_by_fan_in(weight, torch.tensor([[2.4], [240.0]]))
    assert 0.9 < weight[0].abs().max() <= 1
    assert 0.009 < weight[1].abs().max() <= 0.01
