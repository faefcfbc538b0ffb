"""`neocog train`."""

import dataclasses
import itertools
import tomllib

import pytest

from cli.folders import TRAINING
from neocog.cli.parser import Parser
from neocog.data.registry import DATASETS
from neocog.recipe import TABLES, Recipe
from neocog.training.defaults import members_in_question


def recipe_of(run):
    return tomllib.loads((run / "recipe.toml").read_text())


def test_a_training_ends_with_how_good_it_is_where_it_is_and_what_to_try(tell, photos, tmp_path):
    data, run = photos(), tmp_path / "run"
    told = tell("train", data, "--out", run, *TRAINING)
    assert told.exit_code == 0
    first, second, third, fourth = told.out.splitlines()
    assert first.startswith("test accuracy  ")
    assert 0 <= float(first.split()[-1]) <= 1
    assert second.split() == ["run", str(run)]
    assert third.split() == ["to", "try", "neocog", "evaluate", str(run)]
    command, path = fourth.rsplit(" ", 1)
    assert command.strip() == f"neocog predict {run}"
    assert path.startswith(str(data))  # a picture of the data, so that the command can be given as it is
    assert tell(*command.split()[1:], path).exit_code == 0


def test_json_is_one_object_as_documented(tell, photos, tmp_path):
    told = tell("train", photos(), "--out", tmp_path / "run", *TRAINING, "--json")
    answer = told.answer
    assert set(answer) == {"run", "task", "model", "epochs", "seconds", "images_per_second", "plan", "metrics"}
    assert answer["run"] == str(tmp_path / "run")
    assert (answer["task"], answer["model"], answer["epochs"]) == ("classify", "softmax_regression", 1)
    assert {"val/accuracy", "test/accuracy", "test/loss"} <= set(answer["metrics"])
    assert answer["plan"]["precision"] == "float32"
    assert answer["images_per_second"] > 0


def test_without_out_the_runs_are_numbered(tell, photos, tmp_path, monkeypatch):
    data = photos()
    monkeypatch.chdir(tmp_path)
    names = [tell("train", data, *TRAINING, "--json").answer["run"] for _ in range(2)]
    assert names == ["runs/photos-softmax_regression-1", "runs/photos-softmax_regression-2"]


def test_flags_become_fields_and_options_of_the_chosen_members(tell, photos, tmp_path):
    run = tmp_path / "run"
    told = tell(
        *("train", "--epochs", "1", photos(), "--out", run, "--speed", "exact", "--model", "mlp", "--widths", "8", "4"),
        *("--augment", "flip", "pad_and_crop", "--crop-padding", "3", "--flip-probability", "0.25"),
        *("--optimizer", "momentum", "--momentum", "0.8", "--schedule", "step", "--drop-at", "0.5", "--label-smoothing", "0.1"),
        *("--batch-size", "5", "--seed", "7", "--image-size", "16x16", "--channels", "1"),
    )
    assert told.exit_code == 0, told.err
    recipe = recipe_of(run)
    assert recipe["model"] == {"name": "mlp", "widths": [8, 4]}
    assert recipe["optimizer"] == {"name": "momentum", "momentum": 0.8}
    assert recipe["schedule"] == {"name": "step", "drop_at": [0.5]}
    assert recipe["task"] == {"name": "classify", "label_smoothing": 0.1}
    assert recipe["augment"] == {"flip": {"flip_probability": 0.25}, "pad_and_crop": {"crop_padding": 3}}
    assert (recipe["batch_size"], recipe["seed"], recipe["image_size"], recipe["channels"]) == (5, 7, "16x16", 1)


@pytest.mark.parametrize("words", [["none"], []])
def test_no_augmentation_can_be_asked_for(words, tell, photos, tmp_path):
    assert tell("train", photos(), "--out", tmp_path / "run", *TRAINING, "--augment", *words).exit_code == 0
    assert recipe_of(tmp_path / "run")["augment"] == {}


def test_options_of_a_named_dataset_are_flags(tell, tmp_path):
    told = tell("train", "--count", "40", "--size", "16x16", "shapes", "--out", tmp_path / "run", *TRAINING)
    assert told.exit_code == 0, told.err
    assert recipe_of(tmp_path / "run")["dataset"]["count"] == 40
    assert recipe_of(tmp_path / "run")["image_size"] == "16x16"


def test_a_recipe_may_name_the_data_and_flags_go_before_it(tell, photos, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'dataset = "{photos()}"\nspeed = "exact"\nepochs = 9\n[model]\nname = "mlp"\nwidths = [8]\n')
    assert tell("train", "--recipe", file, "--epochs", "1", "--out", tmp_path / "one").exit_code == 0
    assert recipe_of(tmp_path / "one")["model"] == {"name": "mlp", "widths": [8]}
    assert recipe_of(tmp_path / "one")["epochs"] == 1
    assert tell("train", "--recipe", file, "--epochs", "1", "--out", tmp_path / "two", "--widths", "6").exit_code == 0
    assert recipe_of(tmp_path / "two")["model"] == {"name": "mlp", "widths": [6]}
    told = tell("train", "--recipe", file, "--epochs", "1", "--out", tmp_path / "three", "--model", "softmax_regression")
    assert told.exit_code == 0, told.err  # another member leaves the options of the recipe's behind
    assert recipe_of(tmp_path / "three")["model"] == "softmax_regression"


@pytest.mark.parametrize("command", ["train", "data"])
def test_a_named_dataset_that_is_not_here_is_answered_whatever_its_options_are(command, tell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    for name in DATASETS:
        told = tell(command, name, "--help")
        assert told.exit_code == 0, told.err
        assert "--class-names" not in told.out
    told = tell(command, "imagenet")
    assert told.exit_code == 4
    assert told.err.splitlines()[0] == "neocog: expected the files of imagenet"


def test_the_help_shows_the_fields_and_how_to_see_the_options_of_members(tell):
    out = tell("train", "--help").out
    for item in dataclasses.fields(Recipe):
        if item.name not in ("dataset", *TABLES.values(), "augment_options"):
            assert "--" + item.name.replace("_", "-") in out, item.name
    assert "options of the optimizer adamw" in out
    assert "options of the architecture small_convnet" in out
    assert "--help" in out.split("shown with")[1]
    named = tell("train", "digits", "--model", "lenet5", "--augment", "cutout", "--help").out
    assert "options of the architecture lenet5" in named
    assert "--cutout-share" in named
    assert "small_convnet" not in named


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([], ["expected the name of a dataset or the path of a folder", "found neither", "to do: give one, as digits"]),
        (["digits", "--model", "resnet19"], ["expected the name of an architecture", "found 'resnet19'", None]),
        (["digits", "--optimizer", "adma"], ["expected the name of an optimizer", "found 'adma'", None]),
        (["digits", "--schedule", "cosin"], ["expected the name of a schedule", "found 'cosin'", "to do: did you mean cosine?"]),
        (["digits", "--augment", "flop"], ["expected the name of an augmentation", "found 'flop'", "to do: did you mean flip?"]),
        (["--augment", "flip", "digits"], ["expected the name of an augmentation", "found 'digits'", None]),
        (["digits", "--cutout-share", "0.5"], ["expected a flag of neocog train", "found '--cutout-share'", None]),
        (
            ["digits", "--epochs", "0"],
            ["expected epochs to be a whole number of at least 1", "found 0", "to do: give epochs a whole number of at least 1"],
        ),
        (
            ["digits", "--epochs", "few"],
            ["expected a whole number for --epochs", "found 'few'", "to do: write --epochs and a whole number"],
        ),
        (["digits", "--width", "8", "--model", "lenet5"], ["expected a flag of neocog train", "found '--width'", None]),
        (
            ["digits", "--crop-area", "0.1", "1"],
            [
                "expected a field of the recipe, or an option of the chosen task, model, optimizer, schedule, attack or augmentations",
                "found 'crop_area'",
                None,
            ],
        ),
        (["digits", "--speed", "fast"], ["expected auto, exact or the path of a plan.json for speed", "found 'fast'", None]),
        (["digits", "--task", "segment"], ["expected a task that digits has targets for", "found segment", None]),
    ],
)
def test_what_makes_no_sense_is_refused_in_three_lines(arguments, lines, tell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = tell("train", *arguments)
    assert told.exit_code == 2
    said = told.err.splitlines()[-3:]
    assert said[:2] == ["neocog: " + lines[0], lines[1]]
    assert said[2] == lines[2] or (lines[2] is None and said[2].startswith("to do: "))
    assert "Traceback" not in told.err
    assert told.out == ""


def test_no_two_members_that_can_be_used_together_share_a_flag():
    own = {item.name for item in dataclasses.fields(Recipe)} | {"out", "recipe", "json", "debug"}
    owners = {}
    for choice in every_choice():
        owners.update({(kind, name): {item.name for item in dataclasses.fields(options)} for kind, name, options in choice})
    for (kind, name), names in owners.items():
        allowed = {"seed"} if kind == "dataset" else set()  # the drawing of a set follows the recipe's seed, unless Python says otherwise
        assert not names & own - allowed, name
    for (one, ours), (other, theirs) in itertools.combinations(owners.items(), 2):
        if one[0] != other[0] or one[0] == "augmentation":
            assert not ours & theirs - {"seed"}, (one, other)


def every_choice():
    """The members in question of recipes that together name every member."""
    from neocog.augment import AUGMENTATIONS
    from neocog.models import MODELS
    from neocog.optim import OPTIMIZERS
    from neocog.optim.schedules import SCHEDULES
    from neocog.tasks import TASKS
    from neocog.training.adversarial import ADVERSARIES

    yield members_in_question(Recipe(augment=tuple(AUGMENTATIONS)))
    named = {
        "dataset": DATASETS,
        "task": TASKS,
        "model": MODELS,
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "adversarial": ADVERSARIES,
    }
    for field, registry in named.items():
        for name in registry:
            yield members_in_question(Recipe(**{field: name}))


def test_words_may_stand_between_flags():
    parser = Parser("neocog test", "")
    parser.add_argument("first")
    parser.add_argument("second", nargs="?")
    parser.add_argument("--flag")
    assert vars(parser.parse(["a", "--flag", "x", "b"])) == {"first": "a", "second": "b", "flag": "x"}
