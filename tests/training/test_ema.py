"""Averaged weights against the closed form of an exponential moving average."""

import pytest
import torch

from neocog.models import create_model
from neocog.training.ema import AveragedWeights


@pytest.fixture
def model():
    torch.manual_seed(0)
    return create_model("small_convnet", in_channels=1, num_classes=3, image_size=(8, 8), width=2)


def moved(model, value):
    """The network with every weight and statistic at one value."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.fill_(value)
    return model


def test_a_constant_goal_is_neared_by_the_product_of_the_decays(model):
    average = AveragedWeights(moved(model, 1.0), 0.5)
    distance = 1.0
    for step in range(1, 30):
        average.update(moved(model, 3.0), step)
        distance *= min(0.5, (1 + step) / (10 + step))
        for name, tensor in average.model.state_dict().items():
            expected = 3.0 if name.endswith("num_batches_tracked") else 3.0 - 2.0 * distance
            torch.testing.assert_close(tensor, torch.full_like(tensor, expected), rtol=1e-5, atol=1e-6)


def test_any_path_is_weighed_as_the_sum_says(model):
    values = [0.5, -1.0, 2.0, 4.0, 0.25]
    average = AveragedWeights(moved(model, 1.0), 0.3)
    decays = [min(0.3, (1 + step) / (10 + step)) for step in range(1, 6)]
    for step, value in enumerate(values, start=1):
        average.update(moved(model, value), step)
    weights = [(1 - decays[i]) * torch.tensor(decays[i + 1 :]).prod() for i in range(5)]
    expected = torch.tensor(decays).prod() + sum(weight * value for weight, value in zip(weights, values, strict=True))
    torch.testing.assert_close(next(average.model.parameters())[0, 0, 0, 0], expected)


def test_it_wants_no_gradient_and_leaves_the_trained_network_alone(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    average = AveragedWeights(model, 0.9)
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    average.update(moved(create_model("small_convnet", in_channels=1, num_classes=3, image_size=(8, 8), width=2), 9.0), 1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
