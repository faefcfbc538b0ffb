"""Each rule by its formula, and the two forms of momentum side by side."""

import pytest
import torch
from torch import nn

from neocog.errors import RecipeError
from neocog.optim import OPTIMIZERS, build_optimizer, set_learning_rate


def walk(name, rates, options=None, weight_decay=0.0):
    """The weights on the way down a quadratic bowl that is steeper in one direction."""
    model = nn.Module()
    model.w = nn.Parameter(torch.tensor([[1.0, -2.0]], dtype=torch.float64))
    optimizer = build_optimizer(model, name, rates[0], weight_decay, options)
    path = []
    for rate in rates:
        set_learning_rate(optimizer, rate)
        optimizer.zero_grad()
        (model.w**2 * torch.tensor([[0.5, 2.0]])).sum().backward()
        optimizer.step()
        path.append(model.w.detach().clone())
    return torch.cat(path)


def by_hand(rates, step):
    w, memory, path = torch.tensor([1.0, -2.0], dtype=torch.float64), {}, []
    for t, rate in enumerate(rates, 1):
        w = step(w, w * torch.tensor([1.0, 4.0], dtype=torch.float64), rate, memory, t)
        path.append(w.clone())
    return torch.stack(path)


def lecture(w, g, rate, m, t):
    m["v"] = 0.9 * m.get("v", 0) - rate * g
    return w + m["v"]


def torch_s(w, g, rate, m, t):
    m["v"] = 0.9 * m.get("v", 0) + g
    return w - rate * m["v"]


def nesterov(w, g, rate, m, t):
    m["v"] = 0.9 * m.get("v", 0) + g
    return w - rate * (g + 0.9 * m["v"])


def adagrad(w, g, rate, m, t):
    m["s"] = m.get("s", 0) + g**2
    return w - rate * g / (m["s"].sqrt() + 1e-10)


def rmsprop(w, g, rate, m, t):
    m["s"] = 0.99 * m.get("s", 0) + 0.01 * g**2
    return w - rate * g / (m["s"].sqrt() + 1e-8)


def adadelta(w, g, rate, m, t):
    m["s"] = 0.9 * m.get("s", 0) + 0.1 * g**2
    delta = (torch.as_tensor(m.get("d", 0.0)) + 1e-6).sqrt() / (m["s"] + 1e-6).sqrt() * g
    m["d"] = 0.9 * m.get("d", 0) + 0.1 * delta**2
    return w - rate * delta


def adam(w, g, rate, m, t):
    m["m"] = 0.9 * m.get("m", 0) + 0.1 * g
    m["s"] = 0.999 * m.get("s", 0) + 0.001 * g**2
    return w - rate * (m["m"] / (1 - 0.9**t)) / ((m["s"] / (1 - 0.999**t)).sqrt() + 1e-8)


FORMULAS = {
    "gradient_descent": lambda w, g, rate, m, t: w - rate * g,
    "sgd": lambda w, g, rate, m, t: w - rate * g,
    "momentum": lecture,
    "sgd_momentum": torch_s,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adam,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_steps_follow_the_formula(name):
    rates = [0.05, 0.05, 0.02, 0.1, 0.01, 0.01]
    assert torch.allclose(walk(name, rates), by_hand(rates, FORMULAS[name]), rtol=1e-6, atol=1e-9)


def test_every_member_has_its_formula():
    assert set(OPTIMIZERS) == set(FORMULAS)


def test_both_forms_of_momentum_agree_while_the_rate_is_constant():
    assert torch.allclose(walk("momentum", [0.05] * 12), walk("sgd_momentum", [0.05] * 12), rtol=1e-12)


def test_and_part_when_it_changes():
    rates = [0.05] * 4 + [0.005] * 4
    ours, torchs = walk("momentum", rates), walk("sgd_momentum", rates)
    assert torch.allclose(ours[:4], torchs[:4], rtol=1e-12)
    # After the drop torch's form shortens the old velocity tenfold at once; the ball keeps rolling.
    before, after = ours[3] - ours[2], ours[4] - ours[3]
    gradient = ours[3] * torch.tensor([1.0, 4.0])
    assert torch.allclose(after, 0.9 * before - 0.005 * gradient, rtol=1e-12)
    assert torch.allclose(torchs[4] - torchs[3], (0.9 * before - 0.05 * gradient) / 10, rtol=1e-12)
    assert not torch.allclose(ours[4:], torchs[4:], rtol=1e-2)


def test_momentum_s_decay_is_part_of_the_gradient():
    rates = [0.05] * 5
    with_decay = by_hand(rates, lambda w, g, rate, m, t: lecture(w, g + 0.3 * w, rate, m, t))
    assert torch.allclose(walk("momentum", rates, weight_decay=0.3), with_decay, rtol=1e-12)


def test_adamw_s_decay_stands_apart():
    rates = [0.05] * 5
    assert torch.allclose(
        walk("adamw", rates, weight_decay=0.3), by_hand(rates, lambda w, g, r, m, t: adam(w * (1 - r * 0.3), g, r, m, t)), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "field", "value", "wanted", "default"),
    [
        ("momentum", "momentum", 1.5, "a number from 0 to 1", 0.9),
        ("nesterov", "momentum", 0.0, "a number from 0.001 to 1", 0.9),
        ("adam", "beta1", -1.0, "a number from 0 to 0.999999", 0.9),
        ("rmsprop", "eps", -1e-8, "a number of at least 0", 1e-8),
    ],
)
def test_wrong_options_are_refused(name, field, value, wanted, default):
    with pytest.raises(RecipeError) as caught:
        OPTIMIZERS[name].Options(**{field: value})
    assert str(caught.value) == f"expected: {field} to be {wanted}\nfound: {value}\nto do: give {field} {wanted}; the default is {default}"
