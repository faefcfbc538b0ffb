"""Parameter groups, and an optimizer's memory on its way through a file."""

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from neocog.errors import RunError, UsageError
from neocog.optim import OPTIMIZERS, build_optimizer, load_optimizer_state, optimizer_state


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).to(
        memory_format=torch.channels_last
    )


def train(model, optimizer, steps):
    for step in steps:
        images = torch.randn(5, 3, 6, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS.names())
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_three_steps_saved_and_three_more_are_six(name, decay):
    rate = OPTIMIZERS[name].learning_rate
    whole = network()
    optimizer = build_optimizer(whole, name, rate, decay)
    train(whole, optimizer, range(6))

    first = network()
    optimizer = build_optimizer(first, name, rate, decay)
    train(first, optimizer, range(3))
    file = save({**optimizer_state(optimizer, first), **{f"model.{k}": v.contiguous() for k, v in first.state_dict().items()}})
    tensors = load(file)

    second = network()
    second.load_state_dict({key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")})
    optimizer = build_optimizer(second, name, rate, decay)
    load_optimizer_state(optimizer, second, {key: value for key, value in tensors.items() if not key.startswith("model.")})
    train(second, optimizer, range(3, 6))
    for (key, ours), theirs in zip(second.state_dict().items(), whole.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), key


def test_loaded_memory_is_a_copy_of_its_own():
    model = network()
    optimizer = build_optimizer(model, "adam", 0.01)
    train(model, optimizer, range(1))
    saved = {key: value.clone() for key, value in optimizer_state(optimizer, model).items()}
    other = build_optimizer(model, "adam", 0.01)
    load_optimizer_state(other, model, saved)
    kept = {key: value.clone() for key, value in saved.items()}
    train(model, other, range(1, 2))
    assert all(torch.equal(saved[key], kept[key]) for key in saved)
    assert saved["0.weight/exp_avg"].shape == (4, 3, 3, 3)


def test_a_fresh_optimizer_remembers_nothing():
    model = network()
    optimizer = build_optimizer(model, "sgd_momentum", 0.1)
    assert optimizer_state(optimizer, model) == {}
    load_optimizer_state(optimizer, model, {})


def test_weights_decay_and_norms_and_biases_do_not():
    model = network()
    optimizer = build_optimizer(model, "sgd", 0.1, weight_decay=0.3)
    decays = {parameter: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]}
    names = dict(model.named_parameters())
    assert {name: decays[parameter] for name, parameter in names.items()} == {
        "0.weight": 0.3, "0.bias": 0.0, "1.weight": 0.0, "1.bias": 0.0, "4.weight": 0.3, "4.bias": 0.0,
    }  # fmt: skip


def test_frozen_parameters_are_left_alone():
    model = network()
    model[0].requires_grad_(False)
    optimizer = build_optimizer(model, "adam", 0.1)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4


def test_options_reach_the_optimizer():
    options = OPTIMIZERS["sgd_momentum"].Options(momentum=0.5)
    assert build_optimizer(network(), "sgd_momentum", 0.1, options=options).param_groups[0]["momentum"] == 0.5


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(UsageError, match="did you mean adam"):
        build_optimizer(network(), "adan", 0.1)


@pytest.mark.parametrize("key", ["9.weight/exp_avg", "0.weight/exp_avg"])
def test_the_memory_of_another_model_is_refused(key):
    model = network()
    optimizer = build_optimizer(model, "adam", 0.1)
    with pytest.raises(RunError) as caught:
        load_optimizer_state(optimizer, model, {"0.bias/exp_avg": torch.zeros(4), key: torch.zeros(7, 7)})
    assert (
        str(caught.value)
        == f"expected: the optimizer's state of this model\nfound: {key} [7, 7]\nto do: resume the run that the state belongs to"
    )
    assert not optimizer.state
