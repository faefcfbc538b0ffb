"""`neocog attack` with pictures of nothing, corruptions and a linear classifier; `neocog train --adversarial`."""

import json

import pytest

from neocog.attack.corruptions import CORRUPTIONS
from neocog.cli.frame import run_command_line
from neocog.recipe import read_recipe

DIGITS = ("train", "digits", "--epochs", "2", "--batch-size", "128", "--speed", "exact", "--augment", "none")


@pytest.fixture(scope="module")
def linear_run(tmp_path_factory):
    """A softmax regression that knows digits."""
    run = tmp_path_factory.mktemp("linear") / "run"
    assert run_command_line([*DIGITS, "--model", "softmax_regression", "--out", str(run)]) == 0
    return run


def test_fooling_by_gradient(tell, linear_run, tmp_path):
    told = tell(
        "attack", linear_run, "--method", "fooling_gradient", "--steps", "40", "--rate", "0.05", "--save", tmp_path / "out", "--json"
    )
    assert told.exit_code == 0, told.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"attack.json", "fooling-gradient.png", "fooling-gradient_curve.png", "pictures"} <= names
    facts = json.loads((tmp_path / "out" / "attack.json").read_text())["fooling"]["fooling"][0]
    assert [row["name"] for row in facts["classes"]] == list("0123456789")
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 10


def test_fooling_by_evolution_and_one_class(tell, linear_run, tmp_path):
    flags = ("--generations", "3", "--children", "8", "--encoding", "direct", "--targeted", "7")
    told = tell("attack", linear_run, "--method", "fooling_evolution", *flags, "--save", tmp_path / "out")
    assert told.exit_code == 0, told.err
    assert "after 3 generations" in told.out
    assert "fooling_evolution: what nothing is taken for" in told.out


def test_corruptions(tell, linear_run, tmp_path):
    told = tell("attack", linear_run, "--method", "corruptions", "--pictures", "30", "--save", tmp_path / "out")
    assert told.exit_code == 0, told.err
    assert all(f"\n{name} " in told.out for name in CORRUPTIONS)
    assert "mean corruption error" in told.out
    assert {"corruption-examples.png", "corruption-errors.png"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_linear_classifier_and_its_templates(tell, linear_run, tmp_path):
    flags = ("--method", "linear", "--epsilon", "8/255", "0.1", "--pictures", "40")
    told = tell("attack", linear_run, *flags, "--save", tmp_path / "out")
    assert told.exit_code == 0, told.err
    assert (tmp_path / "out" / "attack-templates.png").is_file()


@pytest.mark.parametrize(
    ("flags", "expected", "found", "remedy"),
    [
        (
            ("--method", "fooling_gradient", "--epsilon", "0.1"),
            "a method that has a use for --epsilon",
            "fooling_gradient",
            "leave --epsilon away",
        ),
        (("--method", "corruptions", "--targeted", "3"), "a method that has a use for --targeted", "corruptions", "leave --targeted away"),
        (("--method", "corruptions", "--corruptions", "nois"), "the name of a corruption", "'nois'", "did you mean noise?"),
        (("--method", "fooling_evolution", "--targeted", "eleven"), "a class of softmax_regression, to aim at", "'eleven'", None),
    ],
)
def test_what_has_no_meaning_is_refused(tell, linear_run, flags, expected, found, remedy):
    told = tell("attack", linear_run, *flags)
    assert told.exit_code == 2
    said = told.err.splitlines()[-3:]
    assert said[:2] == [f"neocog: expected {expected}", f"found {found}"]
    assert remedy is None or said[2] == f"to do: {remedy}"


def test_linear_says_so_where_a_network_is_not_linear(tell, tmp_path):
    run = tmp_path / "run"
    assert tell(*DIGITS, "--model", "mlp", "--widths", "8", "--out", run).exit_code == 0
    told = tell("attack", run, "--method", "linear")
    assert told.exit_code == 2
    assert told.err.splitlines()[-3] == "neocog: expected scores that are linear in the picture, for linear"


def test_adversarial_training_by_flags(tell, tmp_path):
    run = tmp_path / "run"
    flags = ("--model", "mlp", "--widths", "8", "--adversarial", "pgd", "--epsilon", "8/255", "--attack-steps", "2")
    told = tell(*DIGITS, *flags, "--out", run)
    assert told.exit_code == 0, told.err
    recipe = read_recipe(run / "recipe.toml")
    assert (recipe.adversarial, dict(recipe.adversarial_options)) == ("pgd", {"epsilon": 8 / 255, "attack_steps": 2})
    again = tell("train", "--recipe", run / "recipe.toml", "--adversarial", "fgsm", "--out", tmp_path / "again")
    assert again.exit_code == 0, again.err
    assert read_recipe(tmp_path / "again" / "recipe.toml").adversarial_options == {}


def test_the_help_shows_the_options_of_the_attack(tell):
    out = tell("train", "digits", "--adversarial", "pgd", "--help").out
    assert "options of the adversarial pgd" in out
    assert "--attack-steps" in out
    assert "--attack-steps" not in tell("train", "digits", "--help").out
