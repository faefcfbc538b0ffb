"""A full disk, a folder that may not be written to, and clocks that jump: a training ends with a named error, or as if nothing had been."""

import shutil

import pytest

from neocog.training.checkpoint import latest
from training.kills import left_behind, results

MLP = ("train", "digits", "--model", "mlp", "--widths", "512", "--epochs", "3", "--batch-size", "256", "--speed", "exact")
STEPS = 6  # an epoch
ENVIRONMENT = 4  # exit code


@pytest.fixture(scope="module")
def whole(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert commands.run(*MLP, "--out", run) == 0
    return results(run)


def error_of(text):
    """The three lines of the command line."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("neocog: expected"))
    return lines[start : start + 3]


FILES = {
    "the recipe": (400, None),
    "the splits": (20_000, None),
    "the weights": (130_000, None),
    "the checkpoint": (300_000, None),
    "a later checkpoint": (300_000, {"call": "step", "time": STEPS + 3, "signal": "SIGTERM"}),
}


@pytest.mark.parametrize("file", FILES)
def test_a_full_disk_is_named_and_the_training_goes_on_when_there_is_room(commands, whole, tmp_path, file):
    """The largest file stands for a disk that has so much room left; every write ends there."""
    run, errors = tmp_path / "run", tmp_path / "errors"
    errors.touch()
    largest, stopped = FILES[file]
    command = (*MLP, "--out", run)
    if stopped is not None:
        assert commands.run(*command, fault=stopped) == 130
        command = ("resume", run)
    assert commands.run(*command, largest_file=largest, errors=errors) == ENVIRONMENT
    expected, found, remedy = error_of(errors.read_text())
    assert expected.startswith("neocog: expected ")
    assert f"written to {run}" in expected
    assert found == "found File too large"
    assert remedy == "to do: free some space, or choose another folder"
    assert left_behind(run) == []
    if stopped is not None:
        assert latest(run / "checkpoint")[0].state.step == STEPS + 3  # the last whole one is as it was
    begun = (run / "recipe.toml").exists()
    assert commands.run(*(("resume", run) if begun else (*MLP, "--out", run))) == 0
    assert results(run) == whole


def test_a_full_disk_in_the_middle_of_the_log_leaves_a_run_that_goes_on(commands, whole, tmp_path):
    run = tmp_path / "run"
    assert commands.run(*MLP, "--out", run, fault={"call": "step", "time": STEPS + 2, "signal": "SIGTERM"}) == 130
    log = run / "log.jsonl"
    log.write_bytes(log.read_bytes() + b'{"event": "read", "st')  # as far as there was room
    assert commands.run("resume", run) == 0
    assert results(run) == whole


@pytest.mark.parametrize("folder", [".", "checkpoint"])
def test_a_folder_that_may_not_be_written_to_is_named_and_nothing_is_lost(commands, whole, tmp_path, folder):
    run, errors = tmp_path / "run", tmp_path / "errors"
    errors.touch()
    assert commands.run(*MLP, "--out", run, fault={"call": "step", "time": STEPS + 3, "signal": "SIGTERM"}) == 130
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    (run / folder).chmod(0o555)
    try:
        code = commands.run("resume", run, errors=errors, bound_by_rights=True)
    finally:
        (run / folder).chmod(0o755)
    if code == commands.NOT_BOUND:
        pytest.skip("permission bits do not bind this process, and it cannot give that right up")
    assert code == ENVIRONMENT, errors.read_text()
    expected, found, _ = error_of(errors.read_text())
    assert str(run) in expected + found
    assert "Permission denied" in found
    assert left_behind(run) == []
    if folder == ".":
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert commands.run("resume", run) == 0
    assert results(run) == whole


def test_a_run_that_may_only_be_read_is_evaluated_by_name_of_the_error(commands, tmp_path):
    """predict needs no place to write to; evaluate writes into the run."""
    run, errors = tmp_path / "run", tmp_path / "errors"
    errors.touch()
    assert commands.run(*MLP, "--out", run) == 0
    run.chmod(0o555)
    try:
        code = commands.run("evaluate", run, errors=errors, bound_by_rights=True)
    finally:
        run.chmod(0o755)
    if code == commands.NOT_BOUND:
        pytest.skip("permission bits do not bind this process, and it cannot give that right up")
    assert code == ENVIRONMENT, errors.read_text()
    assert "Permission denied" in error_of(errors.read_text())[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_clocks_that_jump_by_hours_change_nothing(commands, whole, tmp_path, seed):
    run, errors = tmp_path / "run", tmp_path / "errors"
    errors.touch()
    assert commands.run(*MLP, "--out", run, jumping_clocks=seed, errors=errors) == 0, errors.read_text()
    assert results(run) == whole


@pytest.mark.parametrize("seed", [3, 4])
def test_clocks_that_jump_between_a_stop_and_its_resumption_change_nothing(commands, whole, tmp_path, seed):
    run = tmp_path / "run"
    often = {"neocog.training.loop.SECONDS_BETWEEN_CHECKPOINTS": 3600}
    fault = {"call": "step", "time": STEPS + 2, "signal": "SIGTERM"}
    assert commands.run(*MLP, "--out", run, jumping_clocks=seed, patches=often, fault=fault) == 130
    assert commands.run("resume", run, jumping_clocks=seed + 10, patches=often) == 0
    assert results(run) == whole


def test_a_run_goes_on_in_another_place_under_an_unusual_name(commands, whole, tmp_path):
    run, moved = tmp_path / "run", tmp_path / "mon été\n'1'" / "-rf"
    assert commands.run(*MLP, "--out", run, fault={"call": "step", "time": STEPS + 2}) == -9
    moved.parent.mkdir()
    shutil.move(run, moved)
    assert commands.run("resume", moved) == 0
    assert results(moved) == whole
