"""What every method that looks at units, filters or whole datasets must do."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from examine.handmade import asked
from examine.requesting import convolutional, data_of, request
from neocog.errors import UsageError
from neocog.examine import EXAMINATIONS
from neocog.examine.question import Question, choose
from neocog.models.network import Network

OPTIONS = {
    "activation_maximisation": {"steps": 3},
    "embedding": {"perplexity": 3},
    "neighbours": {"count": 3},
    "receptive_field": {"copies": 3},
    "sift": {"patch": 8},
}
METHODS = ("activations", "activation_maximisation", "embedding", "filters", "neighbours", "receptive_field", "sift", "top_patches")
OF_MAPS = ("activations", "receptive_field", "top_patches")


def edges():
    """`convolutional` with filters that have directions."""
    trained = convolutional()
    rightwards = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
    with torch.no_grad():
        for unit, kernel in enumerate((rightwards, rightwards.T, rightwards.tril() - rightwards.tril().T, torch.ones(3, 3))):
            trained.model.stages["first"][0].weight[unit, 0] = kernel
    return trained


def run(name, trained=None, **more):
    options = EXAMINATIONS[name].Options(**{**OPTIONS.get(name, {}), **more.pop("options", {})})
    return EXAMINATIONS[name].run(request(trained or edges(), more.pop("open_data", data_of(12)), options, **more))


@pytest.mark.parametrize("name", METHODS)
def test_findings_are_whole(name):
    found = run(name)
    assert found.sheets
    assert len({sheet.name for sheet in found.sheets}) == len(found.sheets)
    for sheet in found.sheets:
        assert sheet.name.replace("_", "").isalnum()
        assert sheet.picture.dtype == torch.uint8
        assert sheet.picture.shape[0] == 3
        assert (sheet.picture[:, -8:] == 255).all()  # nothing is cut off below or at the right
        assert (sheet.picture[:, :, -8:] == 255).all()
    json.dumps(found.facts, allow_nan=False)
    assert all(len(row) == len(table.headings) for table in found.tables for row in table.rows)
    assert all("\n" not in line for line in found.lines)
    assert not found.arrays
    assert run(name, arrays=True).arrays


@pytest.mark.parametrize("name", METHODS)
def test_the_network_is_left_as_it_was_and_the_answer_stays_the_same(name):
    trained = edges()
    before = {key: value.clone() for key, value in trained.model.state_dict().items()}
    first, second = run(name, trained), run(name, trained)
    seconds = {"seconds": None}
    assert {**first.facts, **seconds} == {**second.facts, **seconds}
    assert all(torch.equal(one.picture, other.picture) for one, other in zip(first.sheets, second.sheets, strict=True))
    assert all(torch.equal(value, before[key]) for key, value in trained.model.state_dict().items())
    assert not trained.model.training
    for module in trained.model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert all(parameter.grad is None for parameter in module.parameters(recurse=False))


@pytest.mark.parametrize("name", [name for name in METHODS if EXAMINATIONS[name].layered])
def test_a_layer_that_is_not_there_is_refused_with_the_stages(name):
    with pytest.raises(UsageError) as error:
        run(name, layer="third")
    assert error.value.expected == "the name of a layer of handmade"
    assert "first, second" in error.value.remedy


def test_a_network_without_stages_is_told_what_works():
    softmax = asked({}, nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), channels=(), size=8, classes=3)
    for name in ("receptive_field", "top_patches"):
        with pytest.raises(UsageError) as error:
            choose(softmax, [name], Question())
        assert error.value.args[:2] == (f"a network with stages, for {name}", "handmade, which has none")
        assert error.value.remedy.startswith("these have a meaning here: ")
        listed = error.value.remedy.partition(": ")[2].split(", ")
        assert {"filters", "embedding", "neighbours", "activation_maximisation"} <= set(listed)
        assert not {"receptive_field", "top_patches"} & set(listed)
    with pytest.raises(UsageError) as error:
        run("activations", softmax)
    assert error.value.args == ("a network with stages, or --layer", "handmade, which has none", "name a layer, as --layer head.1")
    assert run("activations", softmax, layer="head.1").sheets
    for name in ("filters", "embedding", "neighbours", "activation_maximisation"):
        assert run(name, softmax).sheets


def test_a_learner_is_told_what_works():
    perceptron = replace(edges(), model=learner(), name="perceptron")
    for name in ("activation_maximisation", "receptive_field"):
        with pytest.raises(UsageError) as error:
            choose(perceptron, [name], Question())
        assert error.value.args[:2] == (f"a network that learns by gradient, for {name}", "perceptron, which does not")
        assert "filters" in error.value.remedy
    for name in ("filters", "embedding", "neighbours"):
        assert run(name, perceptron).sheets


def learner() -> Network:
    from neocog.models import create_model

    return create_model("perceptron", num_classes=3, in_channels=1, image_size=(8, 8)).eval()


@pytest.mark.parametrize("name", ["filters", "top_patches", "activation_maximisation"])
def test_a_unit_that_is_not_there_is_refused(name):
    with pytest.raises(UsageError) as error:
        run(name, layer="first", options={"units": (0, 4)})
    assert error.value.args == ("units from 0 to 3, which the layer has", "4", "choose among these")


@pytest.mark.parametrize("name", ["filters", "top_patches", "embedding"])
def test_over_the_epochs_a_run_is_wanted(name):
    with pytest.raises(UsageError) as error:
        run(name, over_epochs=True)
    assert error.value.args == ("a run, to look back over its epochs", "handmade, which was made on the spot", "train it first")
