"""What every optimizer inherits by being in the registry."""

import dataclasses

import pytest
import torch
from torch import nn

from neocog.optim import OPTIMIZERS, SCHEDULES, build_optimizer, set_learning_rate

NAMES = OPTIMIZERS.names()


def regression():
    numbers = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 6, generator=numbers)
    return inputs, inputs @ torch.randn(6, 2, generator=numbers) + 0.5


def linear():
    model = nn.Linear(6, 2)
    with torch.no_grad():
        model.weight.fill_(0.1)
        model.bias.zero_()
    return model


def squares(model):
    return float(sum((p.detach() ** 2).sum() for p in model.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_a_linear_regression(name):
    inputs, outputs = regression()
    model = linear()
    # AdaGrad's and Adadelta's steps begin tiny by construction
    rate = {"adagrad": 0.5, "adadelta": 5.0}.get(name, 0.02)
    optimizer = build_optimizer(model, name, rate)
    first = None
    for _ in range(300):
        loss = nn.functional.mse_loss(model(inputs), outputs)
        first = first or float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.01 * first


@pytest.mark.parametrize("name", NAMES)
def test_its_first_value_of_the_learning_rate_reduces_a_quadratic(name):
    model = linear()
    optimizer = build_optimizer(model, name, OPTIMIZERS[name].learning_rate)
    before = squares(model)
    for _ in range(20):
        optimizer.zero_grad()
        sum((p**2).sum() for p in model.parameters()).backward()
        optimizer.step()
    assert squares(model) < before


@pytest.mark.parametrize("name", NAMES)
def test_at_rate_zero_nothing_moves(name):
    inputs, outputs = regression()
    model = linear()
    optimizer = build_optimizer(model, name, 0.1, weight_decay=0.1)
    set_learning_rate(optimizer, 0.0)
    before = model.weight.clone()
    nn.functional.mse_loss(model(inputs), outputs).backward()
    optimizer.step()
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize("name", NAMES)
def test_decay_shrinks_weights_and_spares_biases(name):
    model = linear()
    nn.init.ones_(model.bias)
    optimizer = build_optimizer(model, name, 0.1, weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = model.weight.clone()
    optimizer.step()
    assert (model.weight < before).all()
    assert torch.equal(model.bias, torch.ones(2))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_a_gradient_stay(name):
    model = linear()
    optimizer = build_optimizer(model, name, 0.1)
    model.weight.grad = torch.ones_like(model.weight)
    optimizer.step()
    assert torch.equal(model.bias, torch.zeros(2))
    assert not torch.equal(model.weight, torch.full((2, 6), 0.1))


@pytest.mark.parametrize("name", NAMES)
def test_a_closure_gives_the_loss(name):
    model = linear()
    optimizer = build_optimizer(model, name, 0.01)

    def closure():
        optimizer.zero_grad()
        loss = (model.weight**2).sum()
        loss.backward()
        return loss

    assert float(optimizer.step(closure).detach()) == pytest.approx(0.12)


@pytest.mark.parametrize("name", NAMES)
def test_options_explain_themselves(name):
    options = OPTIMIZERS[name].Options
    assert options.__dataclass_params__.frozen
    assert (options.__doc__ or "").split("\n")[0].split(": ")[-1]
    for field in dataclasses.fields(options):
        assert field.metadata["help"]
        assert isinstance(field.default, bool | int | float | tuple)


def test_optimizers_and_schedules_share_no_option():
    def fields(registry):
        return {field.name for name in registry for field in dataclasses.fields(registry[name].Options)}

    assert not fields(OPTIMIZERS) & fields(SCHEDULES)


def test_only_gradient_descent_takes_the_whole_split():
    assert [name for name in NAMES if OPTIMIZERS[name].full_batch] == ["gradient_descent"]
