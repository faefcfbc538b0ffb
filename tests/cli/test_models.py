"""`neocog models` and `neocog model`."""

import json

import pytest

from neocog.cli.frame import run_command_line
from neocog.models.create import create_model
from neocog.models.entry import MODELS


def answer(capsys, *arguments):
    assert run_command_line([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_architectures_are_listed(capsys):
    rows = answer(capsys, "models")["models"]
    assert [row["name"] for row in rows] == MODELS.names()
    assert all(row["parameters"] > 0 and row["paper"] for row in rows)


@pytest.mark.parametrize(("pattern", "part"), [("resnet*", "resnet"), ("resnet", "resnet"), ("*_v2", "_v2")])
def test_a_pattern_chooses(pattern, part, capsys):
    names = [row["name"] for row in answer(capsys, "models", pattern)["models"]]
    assert names == [name for name in MODELS if part in name]


def test_a_pattern_that_nothing_matches(capsys):
    assert run_command_line(["models", "restnet18"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["neocog: expected the name of an architecture, or a pattern", "found 'restnet18'"]
    assert "resnet18" in lines[2]


def test_the_table_for_people_has_a_row_for_each(capsys):
    assert run_command_line(["models", "lenet5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["name", "year", "parameters"]
    assert lines[1].split()[:4] == ["lenet5", "1998", f"{MODELS['lenet5'].parameters:,}", "28x28"]


def test_a_model_is_described_with_what_was_asked_for(capsys):
    found = answer(capsys, "model", "resnet18", "--num-classes", "5", "--image-size", "64x96", "--in-channels", "1")
    network = create_model("resnet18", num_classes=5, in_channels=1, image_size=(64, 96))
    assert found["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert found["num_classes"] == 5
    assert found["image_size"] == [64, 96]
    assert found["in_channels"] == 1
    assert found["stages"][-1]["output"] == [5]
    assert found["multiply_adds"] == sum(stage["multiply_adds"] for stage in found["stages"])


def test_at_its_defaults_a_model_is_the_papers(capsys):
    found = answer(capsys, "model", "lenet5")
    assert found["parameters"] == MODELS["lenet5"].parameters
    assert found["paper"] == MODELS["lenet5"].paper


def test_the_options_of_the_named_model_are_flags(capsys):
    import dataclasses

    name = next(name for name in MODELS if dataclasses.fields(MODELS[name].Options))
    option = dataclasses.fields(MODELS[name].Options)[0].name
    assert run_command_line(["model", "--num-classes", "3", name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"options of {name}" in out
    assert "--" + option.replace("_", "-") in out


def test_the_description_for_people(capsys):
    assert run_command_line(["model", "lenet5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("lenet5\n")
    assert f"{MODELS['lenet5'].parameters:,}" in out
    assert "receptive field" in out


def test_an_unknown_model_is_answered_with_the_nearest(capsys):
    assert run_command_line(["model", "resnet19"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["found 'resnet19'", "to do: did you mean resnet18 or resnet110 or resnet56?"]
