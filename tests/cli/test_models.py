"""`neocog models` and `neocog model`."""

import json
import re
import sys

import pytest

from neocog.cli.frame import run_command_line
from neocog.cli.models import _cited
from neocog.models.create import create_model
from neocog.models.entry import MODELS


def answer(capsys, *arguments):
    assert run_command_line([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_architectures_are_listed(capsys):
    rows = answer(capsys, "models")["models"]
    assert [row["name"] for row in rows] == MODELS.names()
    assert all(row["parameters"] > 0 and row["paper"] for row in rows)


@pytest.mark.parametrize(
    ("pattern", "admits"),
    [
        ("resnet*", lambda name: name.startswith("resnet")),
        ("resnet", lambda name: "resnet" in name),
        ("*_v2", lambda name: name.endswith("_v2")),
    ],
)
def test_a_pattern_chooses(pattern, admits, capsys):
    names = [row["name"] for row in answer(capsys, "models", pattern)["models"]]
    assert names == [name for name in MODELS if admits(name)]


def test_published_weights_are_named_with_the_architecture(capsys):
    weights = {row["name"]: row["weights"] for row in answer(capsys, "models", "resnet5*")["models"]}
    assert weights == {"resnet50": ["imagenet", "imagenet_v2"], "resnet50_2015": [], "resnet56": ["cifar10"]}
    assert answer(capsys, "model", "resnet50")["weights"] == ["imagenet", "imagenet_v2"]


def test_a_pattern_that_nothing_matches(capsys):
    assert run_command_line(["models", "restnet18"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["neocog: expected the name of an architecture, or a pattern", "found 'restnet18'"]
    assert "resnet18" in lines[2]


def test_the_table_for_people_has_a_row_for_each(capsys):
    assert run_command_line(["models", "lenet5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "year", "parameters", "multiply-adds", "image", "task", "weights", "paper"]
    row = next(line for line in lines if line.startswith("lenet5 "))
    assert row.split()[:6] == ["lenet5", "1998", f"{MODELS['lenet5'].parameters:,}", "417", "k", "28x28"]
    assert "LeCun et al.:" in row


@pytest.mark.parametrize("task", ["classify", "segment", "denoise"])
def test_a_task_chooses(task, capsys):
    rows = answer(capsys, "models", "--task", task)["models"]
    assert [row["name"] for row in rows] == [name for name in MODELS if task in MODELS[name].tasks]
    assert all(task in row["tasks"] for row in rows)


def test_a_name_that_is_not_for_the_task(capsys):
    assert run_command_line(["models", "unett", "--task", "segment"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["neocog: expected the name of an architecture for the task segment, or a pattern", "found 'unett'"]
    assert "unet" in lines[2]


def test_the_order_can_be_chosen(capsys):
    for sort, key in (("name", "name"), ("year", "year"), ("params", "parameters"), ("multiply_adds", "multiply_adds")):
        rows = answer(capsys, "models", "*net*", "--sort", sort)["models"]
        assert [row["name"] for row in rows] == [row["name"] for row in sorted(rows, key=lambda row: (row[key], row["name"]))]
        assert len({row[key] for row in rows}) > 5


def test_an_order_that_there_is_not(capsys):
    assert run_command_line(["models", "--sort", "parameters"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "neocog: expected one of the values of --sort",
        "found 'parameters'",
        "to do: did you mean params?",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_the_whole_table_fits_a_hundred_columns(terminal, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert run_command_line(["models", "*vgg*"]) == 0
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()  # without colours
    assert max(map(len, lines)) <= 100
    for name in MODELS.names("*vgg*"):
        assert sum(line.split()[:1] == [name] for line in lines) == 1


def test_multiply_adds_are_counted_where_nobody_gives_them(capsys):
    assert MODELS["lenet5"].multiply_adds is None
    rows = {row["name"]: row for row in answer(capsys, "models")["models"]}
    assert rows["lenet5"]["multiply_adds"] == 416_520
    assert all(row["multiply_adds"] > 0 for row in rows.values())
    assert rows["resnet20"]["weights"] == ["cifar10"]
    assert "imagenet" in rows["vgg16"]["weights"]


@pytest.mark.parametrize(
    ("paper", "cited"),
    [
        ("F. Rosenblatt, The Perceptron: A Model, 1958, https://doi.org/1", "Rosenblatt: The Perceptron: A Model"),
        ("M. Tan, Q. V. Le, EfficientNet: Rethinking, Again, 2019, https://x.org/a", "Tan & Le: EfficientNet: Rethinking, Again"),
        ("K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning, 2015, https://x.org", "He et al.: Deep Residual Learning"),
        ("J.-Y. Audibert et al., On Things, 2009, https://x.org", "Audibert et al.: On Things"),
        ("this project's own, 2014, https://x.org", "this project's own, 2014, https://x.org"),
    ],
)
def test_papers_are_cited_by_their_first_author(paper, cited):
    assert _cited(paper) == cited


def test_a_model_is_described_with_what_was_asked_for(capsys):
    found = answer(capsys, "model", "resnet18", "--num-classes", "5", "--image-size", "64x96", "--in-channels", "1")
    network = create_model("resnet18", num_classes=5, in_channels=1, image_size=(64, 96))
    assert found["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert found["num_classes"] == 5
    assert found["image_size"] == [64, 96]
    assert found["in_channels"] == 1
    assert found["stages"][-1]["output"] == [5]
    assert found["multiply_adds"] == sum(stage["multiply_adds"] for stage in found["stages"])
    assert found["multiply_adds"] == sum(layer["multiply_adds"] for layer in found["layers"])
    assert found["parameters"] == sum(call["parameters"] for call in found["calls"])
    assert found["state_bytes"] == 4 * found["parameters"] + 4 * 9_600 + 8 * 20  # statistics of 20 norms, of 9600 values in all
    assert found["activation_bytes"] > 64 * 96 * 4
    assert found["layers"][0] == {
        "stage": "stem",
        "name": "conv",
        "kind": "conv + batch norm + relu",
        "kernel": [7, 7],
        "stride": [2, 2],
        "input": [1, 64, 96],
        "output": [64, 32, 48],
        "receptive_field": 7,
        "parameters": 49 * 64 + 128,
        "multiply_adds": 49 * 64 * 32 * 48,
        "output_bytes": 4 * 64 * 32 * 48,
        "dense_parameters": 64 * 96 * 64 * 32 * 48,
    }


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
    assert out.splitlines()[-3:] == [
        "",
        "field: receptive field, the side in pixels of what one point of the output sees. MiB: the output for one image in float32.",
        "Norms and activations are in the row of the layer before them; --all shows each.",
    ]


def table(tell_out, first="stage"):
    """The cells of the rows of the last table."""
    lines = tell_out.splitlines()
    start = max(number for number, line in enumerate(lines) if line.startswith(f"{first} "))
    rows = []
    for line in lines[start + 1 :]:
        if not line:
            break
        rows.append(line.split())
    return lines[start].split(), rows


def test_a_row_for_each_layer(tell):
    headings, rows = table(tell("model", "lenet5").out)
    assert headings == ["stage", "layer", "kind", "kernel", "stride", "output", "field", "parameters", "multiply-adds", "MiB"]
    assert rows[0] == ["c1", "conv", "conv", "5x5", "1", "6x28x28", "5", "156", "117,600", "0.02"]
    assert rows[1] == ["c3", "pool", "max", "pool", "2x2", "2", "6x14x14", "6", "0", "0", "0.00"]
    assert rows[-1] == ["fc", "linear", "10", "all", "850", "840", "0.00"]


def test_memory_in_the_unit_that_suits_it(tell):
    small, large = (tell("model", name).out for name in ("lenet5", "alexnet_2012"))
    assert "\nmemory         241.0 KiB of parameters and buffers\n" in small
    assert "\nin training    47.0 KiB of activations kept for each image, in float32\n" in small
    assert "\nmemory         232.56 MiB of parameters and buffers\n" in large


def test_a_row_for_each_module(tell):
    told = tell("model", "lenet5", "--all")
    _, rows = table(told.out)
    assert rows[1] == ["activation", "relu", "6x28x28", "5", "0", "0", "0.02"]
    assert "--all" not in told.out


def test_a_row_for_each_stage(tell):
    headings, rows = table(tell("model", "lenet5", "--stages").out)
    assert " ".join(headings) == "stage output receptive field parameters multiply-adds"
    assert rows == [
        ["c1", "6x28x28", "5", "156", "117,600"],
        ["c3", "16x10x10", "14", "2,416", "240,000"],
        ["head", "10", "all", "59,134", "58,920"],
    ]


def test_deep_networks_are_shown_by_stages_unless_asked(tell):
    told = tell("model", "resnet110")
    headings, rows = table(told.out)
    assert headings[1] == "output"
    assert [row[0] for row in rows] == ["stem", "layer1", "layer2", "layer3", "head"]
    assert told.out.endswith("\n--layers shows its 113 layers.\n")  # 110 and the average, and two shortcuts that take every other pixel
    _, rows = table(tell("model", "resnet110", "--layers").out)
    assert len(rows) == 113


def test_auxiliary_heads_are_said_to_be_for_training(tell):
    out = tell("model", "googlenet_2014", "--stages").out
    assert "\nAuxiliary heads run in training only; the sum of the multiply-adds leaves them out.\n" in out
    assert out.count("auxiliary.") == 2


def test_as_dense_shows_what_sharing_saves(tell):
    told = tell("model", "alexnet_2012", "--as-dense")
    headings, rows = table(told.out)
    assert headings[-2:] == ["as", "dense"]
    assert rows[0][-1] == "44,892,064,800"  # 227 * 227 * 3 inputs, 55 * 55 * 96 outputs
    assert told.out.endswith("as dense: weights, without biases, of the fully connected layer from the same inputs to the same outputs.\n")
    _, rows = table(tell("model", "alexnet_2012", "--as-dense", "--image-size", "224x224").out)
    assert rows[0][-1] == "42,138,206,208"  # 54 * 54 * 96 outputs: 55 of the paper's 224 pixels need padding


def test_only_one_table_can_be_asked_for(tell):
    told = tell("model", "lenet5", "--stages", "--all")
    assert told.exit_code == 2
    assert told.err.splitlines()[1] == "found argument --all: not allowed with argument --stages"


ONE_OF_EACH_FILE = {MODELS[name].build.__module__: name for name in MODELS}.values()


@pytest.mark.parametrize("name", ONE_OF_EACH_FILE)
def test_every_family_can_be_described(name, tell):
    told = tell("model", name)
    assert told.exit_code == 0, told.err
    learns = "gradient" in MODELS[name].traits
    assert ("in training    nothing kept: it learns without gradients" not in told.out) == learns


def test_an_unknown_model_is_answered_with_the_nearest(capsys):
    assert run_command_line(["model", "resnet19"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["found 'resnet19'", "to do: did you mean resnet18 or resnet152 or resnet110?"]
