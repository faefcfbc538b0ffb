"""Averaged weights against closed forms, and against sums over all pictures."""

import pytest
import torch
from torch import nn

import neocog
from neocog.models import create_model
from neocog.training.average import ExponentialAverage, Lookahead, renew_norms


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
    average = ExponentialAverage(moved(model, 1.0), 0.5)
    distance = 1.0
    for step in range(1, 30):
        average.update(moved(model, 3.0), step)
        distance *= min(0.5, (1 + step) / (10 + step))
        for name, tensor in average.model.state_dict().items():
            expected = 3.0 if name.endswith("num_batches_tracked") else 3.0 - 2.0 * distance
            torch.testing.assert_close(tensor, torch.full_like(tensor, expected), rtol=1e-5, atol=1e-6)


def test_any_path_is_weighed_as_the_sum_says(model):
    values = [0.5, -1.0, 2.0, 4.0, 0.25]
    average = ExponentialAverage(moved(model, 1.0), 0.3)
    decays = [min(0.3, (1 + step) / (10 + step)) for step in range(1, 6)]
    for step, value in enumerate(values, start=1):
        average.update(moved(model, value), step)
    weights = [(1 - decays[i]) * torch.tensor(decays[i + 1 :]).prod() for i in range(5)]
    expected = torch.tensor(decays).prod() + sum(weight * value for weight, value in zip(weights, values, strict=True))
    torch.testing.assert_close(next(average.model.parameters())[0, 0, 0, 0], expected)


def test_it_wants_no_gradient_and_leaves_the_trained_network_alone(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    average = ExponentialAverage(model, 0.9)
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    average.update(moved(create_model("small_convnet", in_channels=1, num_classes=3, image_size=(8, 8), width=2), 9.0), 1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_looking_ahead_both_meet_half_way_every_few_steps(model):
    average = Lookahead(moved(model, 0.0), 3)
    for step, value in enumerate([1.0, 5.0, 8.0]):
        assert set(weights_of(average.model)) == {0.0}
        average.update(moved(model, value), step)
    assert set(weights_of(average.model)) == set(weights_of(model)) == {4.0}
    average.update(moved(model, 7.0), 3)
    assert (set(weights_of(average.model)), set(weights_of(model))) == ({4.0}, {7.0})


def weights_of(network):
    return [value for parameter in network.parameters() for value in parameter.flatten().tolist()]


def test_norms_get_the_statistics_of_the_pictures_they_see(model):
    torch.manual_seed(1)
    batches = [torch.randn(8, 1, 8, 8) + 3 for _ in range(3)]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    seen = []
    handle = norms[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.eval()
    renew_norms(model, [lambda batch=batch: model(batch) for batch in batches])
    handle.remove()
    assert len(seen) == 3
    # Every batch weighs the same; the variance is each batch's own, without bias, as batch norm keeps it.
    torch.testing.assert_close(norms[0].running_mean, torch.stack([maps.mean(dim=(0, 2, 3)) for maps in seen]).mean(dim=0))
    torch.testing.assert_close(norms[0].running_var, torch.stack([maps.var(dim=(0, 2, 3)) for maps in seen]).mean(dim=0))
    assert not any(module.training for module in model.modules())
    assert all(norm.momentum == nn.BatchNorm2d(1).momentum and norm.num_batches_tracked == 0 for norm in norms)


def test_folded_norms_stay(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(1).sub_(module.eps)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    renew_norms(model, [lambda: model(torch.randn(8, 1, 8, 8))])
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_both_networks_are_validated_and_norms_are_renewed_before(tmp_path):
    choices = {"model": "small_convnet", "width": 2, "epochs": 2, "batch_size": 256, "speed": "exact", "progress": False}
    run = neocog.train("digits", out=tmp_path / "run", ema=0.99, renew_norms=400, **choices)
    rows = run.trained.folder.metrics()
    assert {"val/accuracy", "val/accuracy_unaveraged", "val/loss", "val/loss_unaveraged"} <= rows[0].keys()
    assert any(row["val/loss"] != row["val/loss_unaveraged"] for row in rows)
    kept = neocog.train("digits", out=tmp_path / "other", ema=0.99, **choices)
    assert kept.trained.folder.metrics()[0]["val/loss_unaveraged"] == rows[0]["val/loss_unaveraged"]
    assert kept.trained.folder.metrics()[0]["val/loss"] != rows[0]["val/loss"]
