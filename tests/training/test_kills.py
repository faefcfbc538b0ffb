"""A training that is killed at any instant and resumed leaves, bit for bit, what one leaves that was never killed."""

import json
import random
import time

import pytest

from neocog.engine.plan import default_plan
from training.kills import left_behind, results

PLAN = {**default_plan().to_dict(), "device": "cpu", "threads": 1, "layout": "channels_last", "precision": "bfloat16"}
"""What is fastest where it can be had: float32 sums in another order would show as well."""

DIGITS = (
    *("train", "digits", "--model", "small_convnet", "--width", "4", "--dropout", "0.2", "--augment", "pad_and_crop", "mixup"),
    *("--epochs", "3", "--batch-size", "128", "--ema", "0.9", "--seed", "3"),
)
STEPS = 12  # an epoch

AT_ONCE = {
    "before the first checkpoint": {"call": "step", "time": 4},
    "with half of a checkpoint written": {"file": "step-", "moment": "half", "time": 2},
    "in a validation": {"call": "batch", "time": 2},
    "between the weights and the checkpoint": {"file": "metrics.csv", "moment": "renamed", "time": 1},
}
IN_TURN = {
    "while the recipe is written": {"file": "recipe.toml", "moment": "half"},
    "between the recipe and the splits": {"file": "recipe.toml", "moment": "renamed"},
    "while the plan is written": {"file": "plan.json", "moment": "whole"},
    "at the first step": {"call": "step", "time": 1},
    "with half of the first checkpoint written": {"file": "step-", "moment": "half", "time": 1},
    "before a checkpoint is renamed": {"file": "step-", "moment": "whole", "time": 2},
    "after a checkpoint is renamed": {"file": "step-", "moment": "renamed", "time": 2},
    "after the last checkpoint is renamed": {"file": "step-", "moment": "renamed", "time": 3},
    "while the weights are written": {"file": "weights", "moment": "half", "time": 1},
    "while the metrics are written": {"file": "metrics.csv", "moment": "half", "time": 2},
    "at the last step": {"call": "step", "time": 3 * STEPS},
    "while the last checkpoint is written": {"file": "step-", "moment": "half", "time": 3},
    "in the final evaluation": {"call": "evaluation", "time": 1},
    "while the predictions are written": {"file": "predictions", "moment": "half"},
    "before the manifest is renamed": {"file": "manifest", "moment": "whole"},
}


@pytest.fixture(scope="module")
def unkilled(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("unkilled") / "run"
    assert commands.run(*DIGITS, "--out", run, plan=PLAN) == 0
    return results(run)


@pytest.fixture(scope="module")
def duration(commands, unkilled, tmp_path_factory):
    """Seconds of the whole command."""
    started = time.perf_counter()
    assert commands.run(*DIGITS, "--out", tmp_path_factory.mktemp("timed") / "run", plan=PLAN) == 0
    return time.perf_counter() - started


def kill_and_resume(commands, run, **order):
    assert commands.run(*DIGITS, "--out", run, **order) == -9
    assert commands.run("resume", run, plan=PLAN) == 0


@pytest.mark.parametrize("point", AT_ONCE)
def test_a_kill_changes_nothing(commands, unkilled, tmp_path, point):
    run = tmp_path / "run"
    kill_and_resume(commands, run, plan=PLAN, fault=AT_ONCE[point])
    assert results(run) == unkilled
    assert left_behind(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("point", IN_TURN)
def test_a_kill_at_any_point_changes_nothing(commands, unkilled, tmp_path, point):
    run = tmp_path / "run"
    if point == "while the recipe is written":  # there is no run yet to resume: the same command begins it anew
        assert commands.run(*DIGITS, "--out", run, plan=PLAN, fault=IN_TURN[point]) == -9
        assert commands.run("resume", run) == 3
        assert commands.run(*DIGITS, "--out", run, plan=PLAN) == 0
    else:
        kill_and_resume(commands, run, plan=PLAN, fault=IN_TURN[point])
    assert results(run) == unkilled
    assert left_behind(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("step", [2, 5])
def test_a_kill_in_the_probe_changes_nothing_but_the_choice(commands, tmp_path, step):
    killed, whole = tmp_path / "killed" / "run", tmp_path / "whole" / "run"
    probed = {"neocog.engine.probe.MOST_OF_THE_JOB": 1000}  # however short the job
    command = (*DIGITS, "--width", f"{step + 1}")  # a job of its own, so that nothing is remembered
    assert commands.run(*command, "--out", killed, patches=probed, fault={"call": "probe", "time": step}) == -9
    assert not (killed / "plan.json").exists()
    assert commands.run("resume", killed, patches=probed) == 0
    assert commands.run(*command, "--out", whole, plan=json.loads((killed / "plan.json").read_text())) == 0
    assert results(killed) == results(whole)


@pytest.mark.slow
def test_kills_at_random_times_change_nothing(commands, unkilled, duration, tmp_path):
    run, killed = tmp_path / "run", 0
    numbers = random.Random(7)
    for _ in range(40):
        begun = ("resume", run) if (run / "recipe.toml").exists() else (*DIGITS, "--out", run)
        code = commands.run(*begun, plan=PLAN, after=numbers.uniform(0.1, 0.9) * duration)
        killed += code == -9
        if code == 0:
            break
        assert code == -9
    assert killed >= 4
    assert results(run) == unkilled
    assert left_behind(run) == []


@pytest.mark.slow
def test_kills_within_epochs_change_nothing(commands, unkilled, tmp_path):
    run = tmp_path / "run"
    often = {"neocog.training.loop.SECONDS_BETWEEN_CHECKPOINTS": 0}  # a checkpoint after every step
    assert commands.run(*DIGITS, "--out", run, plan=PLAN, patches=often, fault={"call": "step", "time": 6}) == -9
    for file, which in (("step-", 3), ("step-", 9), ("step-", 2), ("metrics", 1)):
        fault = {"file": file, "moment": "half", "time": which}
        assert commands.run("resume", run, patches=often, fault=fault) == -9
    assert commands.run("resume", run, patches=often) == 0
    assert results(run) == unkilled
