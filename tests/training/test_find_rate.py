"""The learning rate that a trial finds."""

import csv

import pytest
import torch

import neocog
from neocog.errors import UsageError
from neocog.images import decode
from neocog.run import RunFolder
from neocog.training import find_rate
from neocog.training.find_rate import RateCurve

CONVNET = {"model": "small_convnet", "width": 4, "epochs": 1, "batch_size": 64, "speed": "exact", "progress": False}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return neocog.train("digits", out=tmp_path_factory.mktemp("found") / "run", find_lr=True, **CONVNET).path


def curve_of(run):
    rows = list(csv.DictReader((run / "learning_rate.csv").read_text().splitlines()))
    return tuple([float(row[name]) for row in rows] for name in ("learning_rate", "loss"))


def test_it_stands_in_the_recipe_and_in_the_curve(found):
    rates, losses = curve_of(found)
    rate = RunFolder(found).recipe().learning_rate
    assert rates[0] == pytest.approx(1e-7)
    assert rates == sorted(rates)
    assert 1e-4 < rate < 1
    lowest = losses.index(min(losses))
    assert rate <= rates[lowest] / find_rate.MARGIN * 1.05  # it is rounded to two digits
    # At that rate the loss is on its way down: under its start, above its least.
    there = min(range(len(rates)), key=lambda index: abs(rates[index] - rate))
    assert min(losses) < losses[there] < losses[0]


def test_its_picture_is_kept(found):
    assert decode((found / "learning_rate.png").read_bytes()).shape == (3, 600, 960)


def test_training_with_the_rate_that_was_found_is_the_same_as_with_it_given(found, tmp_path):
    rate = RunFolder(found).recipe().learning_rate
    given = neocog.train("digits", out=tmp_path / "run", learning_rate=rate, **CONVNET).path
    assert (given / "weights.safetensors").read_bytes() == (found / "weights.safetensors").read_bytes()


def test_the_trial_ends_when_the_loss_runs_away(found):
    losses = curve_of(found)[1]
    assert len(losses) <= find_rate.STEPS
    assert all(torch.isfinite(torch.tensor(losses)))
    assert max(losses) <= find_rate.RUNAWAY * min(losses)


def test_the_fastest_fall_of_a_known_curve_is_taken():
    rates = [10.0**power for power in range(-7, 1)]
    losses = [2.0, 2.0, 2.0, 2.0, 2.0, 1.8, 1.0, 0.9]
    assert find_rate._best(rates, losses) == pytest.approx(1e-2)
    assert RateCurve(tuple(rates), tuple(losses), 1e-2).draw("t").shape == (3, 600, 960)


def refusal(tmp_path, **choices):
    chosen = {name: value for name, value in {**CONVNET, **choices}.items() if value is not None}
    with pytest.raises(UsageError) as caught:
        neocog.train("digits", out=tmp_path / "run", find_lr=True, **chosen)
    assert not (tmp_path / "run").exists()
    return str(caught.value)


def test_a_rate_cannot_be_given_and_found(tmp_path):
    assert refusal(tmp_path, learning_rate=0.1) == (
        "expected: a learning rate to be found, or one that is given\nfound: both, 0.1\nto do: leave one of them away"
    )


@pytest.mark.parametrize(
    ("choices", "found"), [({"optimizer": "gradient_descent"}, "gradient_descent"), ({"model": "perceptron", "width": None}, "perceptron")]
)
def test_what_takes_no_steps_of_gradient_has_none_to_find(tmp_path, choices, found):
    assert refusal(tmp_path, **choices) == (
        f"expected: a training by steps of gradient, for a learning rate to be found\nfound: {found}\nto do: leave --find-lr away"
    )


def test_a_stop_before_the_first_step_leaves_nothing_that_hinders(commands, tmp_path):
    run = tmp_path / "run"
    command = ("train", "digits", "--model", "mlp", "--epochs", "1", "--speed", "exact", "--find-lr", "--out", run)
    assert commands.run(*command, fault={"call": "step", "time": 1}) == -9
    assert (run / "learning_rate.png").exists()
    assert commands.run(*command) == 0
