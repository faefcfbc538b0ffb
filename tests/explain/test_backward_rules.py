"""The rules themselves, what they leave alone, and one activation run back to the pixels."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from explain.asking import NETWORKS, Asking, images, network
from neocog.explain.backward_rules import Backward, captured, reconstruct

POINTS = torch.linspace(-8, 8, 33)

RECTIFIERS = {
    "relu": functional.relu,
    "relu in place": lambda maps: functional.relu(maps + 0, inplace=True),
    "torch.relu": torch.relu,
    "method": lambda maps: maps.relu(),
    "method in place": lambda maps: (maps + 0).relu_(),
    "relu6": functional.relu6,
    "module of relu6": nn.ReLU6(),
    "relu6 in place": lambda maps: nn.ReLU6(inplace=True)(maps + 0),
    "by keyword": lambda maps: functional.relu(input=maps),
    "hard-swish": nn.Hardswish(),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "leaky": nn.LeakyReLU(0.1),
    "prelu": nn.PReLU(init=0.3),
    "elu": nn.ELU(),
    "celu": nn.CELU(),
    "selu": nn.SELU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(),
}
OTHERS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hard sigmoid": nn.Hardsigmoid(),
    "hard tanh": nn.Hardtanh(),
    "exponential": torch.exp,
}


def back(function, signal, rule=None):
    """The answer at POINTS, and what a signal becomes on its way back."""
    points = POINTS.clone().requires_grad_()
    if rule is None:
        answer = function(points)
    else:
        with Backward(rule):
            answer = function(points)
    return answer.detach(), torch.autograd.grad(answer, points, signal)[0]


@pytest.mark.parametrize("name", RECTIFIERS)
@pytest.mark.parametrize("signal", [torch.ones(33), -torch.ones(33), torch.linspace(1, -1, 33)], ids=["up", "down", "mixed"])
def test_a_rectifier_obeys_the_rules(name, signal):
    function = RECTIFIERS[name]
    answer, plain = back(function, signal)
    for rule, expected in (("deconvnet", signal.clamp(min=0)), ("guided", plain.clamp(min=0))):
        same, ruled = back(function, signal, rule)
        torch.testing.assert_close(same, answer, rtol=0, atol=0)
        torch.testing.assert_close(ruled, expected)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("rule", ["deconvnet", "guided"])
def test_other_functions_are_left_alone(name, rule):
    signal = torch.linspace(1, -1, 33)
    for ours, plain in zip(back(OTHERS[name], signal, rule), back(OTHERS[name], signal), strict=True):
        assert torch.equal(ours, plain)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("rule", ["deconvnet", "guided"])
def test_the_answer_of_a_network_is_the_same_and_its_rectifiers_are_counted(kind, rule):
    module = network(kind)
    answer = module(images())
    with Backward(rule) as mode:
        assert torch.equal(module(images()), answer)
    assert mode.met == {"tanh": 0, "functions": 3}.get(kind, 2)
    with Backward(rule) as mode:
        pass
    assert torch.equal(module(images()), answer)
    assert mode.met == 0


def test_what_works_in_place_on_a_kept_map_does_not_change_it():
    module = network("relu in place")
    with captured(module, "1") as found:
        answer = module(images())
    (maps,) = found
    assert maps.min() < 0  # relu followed in place
    assert torch.equal(answer, module(images()))


def test_layers_behind_the_one_that_is_wanted_are_not_computed():
    module = network()
    later = []
    handle = module[3].register_forward_hook(lambda *_: later.append(1))
    with captured(module, "1", stop=True) as found:
        module(images())
    handle.remove()
    assert found[0].shape == (3, 6, 12, 12)
    assert not later
    assert not module[1]._forward_hooks


def test_an_error_on_the_way_is_not_swallowed_and_leaves_no_hook():
    module = network()
    with pytest.raises(RuntimeError), captured(module, "1"):
        module(torch.zeros(1, 4, 12, 12))
    assert not module[1]._forward_hooks


def test_one_activation_is_run_back_by_its_filter():
    module = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU())
    picture = torch.rand(1, 1, 6, 6)
    with torch.no_grad():
        strength = module(picture)
    found = reconstruct(module, Asking(module, torch.tensor([0])), picture, "1", torch.tensor([1]), torch.tensor([[2, 1]]))
    expected = torch.zeros(6, 6)
    expected[2:5, 1:4] = strength[0, 1, 2, 1] * module[0].weight[1, 0].detach()
    torch.testing.assert_close(found[0, 0], expected)


def test_without_a_place_it_is_the_strongest_and_pooling_goes_back_by_its_switches():
    module = nn.Sequential(nn.Identity(), nn.MaxPool2d(2))
    picture = torch.tensor([[[[0.1, 0.2, 0.3, 0.1], [0.0, 0.9, 0.4, 0.1], [0.0, 0.1, 0.2, 0.3], [0.2, 0.1, 0.5, 0.6]]]])
    found = reconstruct(module, Asking(module, torch.tensor([0])), picture, "1", torch.tensor([0]))
    expected = torch.zeros(4, 4)
    expected[1, 1] = 0.9
    torch.testing.assert_close(found[0, 0], expected)


@pytest.mark.parametrize("kind", ["relu", "relu in place", "relu6", "functions"])
def test_a_deep_unit_by_the_rule_and_by_autograd_where_nothing_is_negative(kind):
    """With weights, and so signals, that are all positive the rule changes nothing of a path of active units."""
    module = network(kind)
    with torch.no_grad():
        for weights in module.parameters():
            weights.abs_()
            weights.mul_(0.1)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.zero_()
    pictures, units, places = images(2), torch.tensor([0, 3]), torch.tensor([[0, 1], [2, 2]])
    layer = "second" if kind == "functions" else "4"
    found = reconstruct(module, Asking(module, torch.tensor([0, 1])), pictures, layer, units, places)
    leaf = pictures.clone().requires_grad_()
    with captured(module, layer) as maps:
        module(leaf)
    values = maps[0][torch.arange(2), units, places[:, 0], places[:, 1]]
    (slope,) = torch.autograd.grad(values.sum(), leaf)
    torch.testing.assert_close(found, slope * values.detach()[:, None, None, None])


def test_a_dense_layer_has_units_without_places():
    module = network()
    found = reconstruct(module, Asking(module, torch.tensor([0, 1, 2])), images(), "8", torch.tensor([4, 0, 2]))
    assert found.shape == (3, 3, 12, 12)
    assert found.abs().sum() > 0
