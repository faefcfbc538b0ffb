"""Saving costs a small share of the time, and whatever is saved or not changes no result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.models import read_state
from neocog.run import RunFolder
from neocog.training.saving import SHARE, Budget
from training.kills import results

MLP = ("train", "digits", "--model", "mlp", "--widths", "12", "--epochs", "8", "--batch-size", "256", "--ema", "0.5", "--speed", "exact")
STEPS = 6  # an epoch
SELDOM = {"neocog.training.saving.SHARE": 0}  # no save but the first, and those that must be
OFTEN = {"neocog.training.saving.SHARE": 1e9}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=300), st.floats(0.001, 5))
def test_with_those_that_must_come_the_share_is_kept_once_there_is_time(epochs, cost):
    clock = Clock()
    budget, spent, saves = Budget(clock), 0.0, 0
    for seconds in epochs:
        clock.now += seconds
        if budget.allows:
            with budget.saving(whole=False):
                clock.now += cost / 4
            with budget.saving(whole=True):
                clock.now += cost * 3 / 4
            spent, saves = spent + cost, saves + 1
            assert saves == 1 or spent + 2 * cost <= SHARE * clock.now + 1e-6
    assert saves >= 1


def test_the_share_is_made_use_of():
    clock = Clock()
    budget, saves = Budget(clock), 0
    for _ in range(1000):
        clock.now += 10
        if budget.allows:
            with budget.saving(whole=True):
                clock.now += 1
            saves += 1
    assert 0.8 * SHARE * clock.now < saves < SHARE * clock.now


@pytest.fixture(scope="module")
def saved_often(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("often") / "run"
    assert commands.run(*MLP, "--out", run, patches=OFTEN) == 0
    return results(run)


def test_how_often_is_saved_changes_no_result(commands, saved_often, tmp_path):
    assert commands.run(*MLP, "--out", tmp_path / "run", patches=SELDOM) == 0
    assert results(tmp_path / "run") == saved_often


@pytest.mark.parametrize(
    "fault",
    [
        {"call": "step", "time": 5 * STEPS + 2},
        {"file": "metrics.csv", "moment": "renamed", "time": 5},
        {"file": "weights", "moment": "half", "time": 2},
        {"file": "step-", "moment": "half", "time": 2},
    ],
)
def test_a_kill_between_saves_changes_no_result(commands, saved_often, tmp_path, fault):
    run = tmp_path / "run"
    assert commands.run(*MLP, "--out", run, patches=SELDOM, fault=fault) == -9
    assert [path.name for path in (run / "checkpoint").glob("step-*")] == [f"step-{STEPS:09d}.safetensors"]
    assert commands.run("resume", run, patches=SELDOM) == 0
    assert results(run) == saved_often


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_saves_the_best_weights_too(commands, saved_often, tmp_path, name):
    run = tmp_path / "run"
    assert commands.run(*MLP, "--out", run, patches=SELDOM, fault={"call": "step", "time": 5 * STEPS + 2, "signal": name}) == 130
    best = max(RunFolder(run).metrics(), key=lambda row: (row["val/accuracy"], row["epoch"]))
    assert read_state(run / "weights.safetensors").metadata["epoch"] == best["epoch"]
    assert commands.run("resume", run, patches=SELDOM) == 0
    assert results(run) == saved_often


def test_a_training_that_diverges_keeps_the_best_weights(commands, tmp_path):
    run = tmp_path / "run"
    broken = {**SELDOM, "neocog.training.divergence.LONG": 0}
    command = (*MLP, "--learning-rate", "1e30", "--schedule", "constant")
    assert commands.run(*command, "--out", run, patches=broken) == 5
    assert (run / "weights.safetensors").exists() == bool(RunFolder(run).metrics())


def test_the_ends_that_patience_may_make_the_last_are_saved(commands, tmp_path):
    command = (*MLP, "--patience", "3", "--learning-rate", "1e-30", "--schedule", "constant")
    assert commands.run(*command, "--out", tmp_path / "run", patches=SELDOM) == 0
    assert commands.run(*command, "--out", tmp_path / "other", patches=OFTEN) == 0
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoint").iterdir()) == [
        f"step-{epoch * STEPS:09d}.safetensors" for epoch in (3, 4)
    ]
    assert results(tmp_path / "run") == results(tmp_path / "other")
