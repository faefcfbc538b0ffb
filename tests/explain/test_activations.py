"""Counts against networks whose dead, saturated and ever active units were planted."""

import pytest
import torch
from torch import nn

from neocog.explain.activations import Activity, bounds_of, is_activation, watched
from neocog.layers import ScaledTanh


def counted(outputs, bounds=None, batches=1):
    activity = Activity(bounds)
    for part in outputs.chunk(batches):
        activity.update(part)
    return activity.counts()


def planted(activation, biases):
    """A 1x1 convolution of one channel whose units differ in weight and bias, before an activation."""
    layer = nn.Conv2d(1, len(biases), 1)
    with torch.no_grad():
        layer.weight.copy_(torch.ones(len(biases), 1, 1, 1))
        layer.bias.copy_(torch.tensor(biases))
    return nn.Sequential(layer, activation)


@pytest.mark.parametrize("batches", [1, 3])
def test_planted_units_are_found(batches):
    images = torch.rand(12, 1, 4, 4, generator=torch.Generator().manual_seed(0))  # in [0, 1)
    outputs = planted(nn.ReLU(), [-2.0, -0.5, 0.5])(images)
    found = counted(outputs, batches=batches)
    assert found.dead.tolist() == [True, False, False]
    assert found.always_on.tolist() == [False, False, True]
    assert found.saturated is None
    assert torch.allclose(found.active, (outputs > 0).float().mean((0, 2, 3)))
    assert torch.allclose(found.mean, outputs.mean((0, 2, 3)), atol=1e-6)
    assert torch.equal(found.largest, outputs.amax((0, 2, 3)))
    assert torch.equal(found.smallest, outputs.amin((0, 2, 3)))


def test_saturated_units_are_found_at_either_bound():
    images = torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    tanh = planted(nn.Tanh(), [-5.0, -0.5, 5.0])
    assert counted(tanh(images), bounds_of(tanh[1])).saturated.tolist() == [True, False, True]
    clipped = planted(nn.ReLU6(), [-2.0, 0.0, 5.99, 6.0])
    found = counted(clipped(images), bounds_of(clipped[1]))
    assert found.saturated.tolist() == [False, False, True, False]  # at 0 it rests; what is 6 everywhere is dead
    assert found.dead.tolist() == [True, False, False, True]


def test_a_unit_is_saturated_from_95_percent_on():
    values = torch.zeros(100, 2)
    values[:95, 0] = values[:94, 1] = 1.0
    assert counted(values, (0.0, 1.0)).saturated.tolist() == [True, False]


def test_dense_layers_are_counted_too_and_a_silent_layer_is_all_dead():
    assert counted(torch.zeros(5, 3)).dead.tolist() == [True, True, True]


def test_without_a_batch_there_is_nothing_to_count():
    with pytest.raises(ValueError, match=r"^expected at least one batch, found none$"):
        Activity().counts()


@pytest.mark.parametrize(
    ("module", "bounds"),
    [
        (nn.ReLU(), None),
        (nn.ReLU6(), (0, 6)),
        (nn.Hardtanh(-2, 3), (-2, 3)),
        (nn.Tanh(), (-1, 1)),
        (nn.Sigmoid(), (0, 1)),
        (nn.Hardsigmoid(), (0, 1)),
        (nn.Softsign(), (-1, 1)),
        (ScaledTanh(), (-1.7159, 1.7159)),
    ],
)
def test_bounds_are_the_functions_own(module, bounds):
    assert bounds_of(module) == (None if bounds is None else pytest.approx(bounds))
    assert is_activation(module)
    assert not is_activation(nn.Conv2d(1, 1, 1))


def test_a_watched_layer_is_seen_before_it_is_changed_in_place_and_nothing_stays():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
    images, seen = torch.randn(2, 1, 5, 5), []
    with watched(module, {"0": lambda output: seen.append(output.clone())}):
        module(images)
    assert torch.equal(seen[0], module[0](images))
    assert seen[0].min() < 0
    assert not module[0]._forward_hooks
    with pytest.raises(AttributeError), watched(module, {"7": seen.append}):
        pass
