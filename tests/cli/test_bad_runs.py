"""Runs of which something is missing or spoilt, and folders that no run may go into, each with its answer."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.folders import TRAINING, hashes, write_photos
from neocog.cli.frame import run_command_line
from neocog.training import loop


@pytest.fixture(scope="session")
def _stopped(tmp_path_factory):
    """A training of four epochs that was interrupted in its third, after two checkpoints."""
    folder = tmp_path_factory.mktemp("stopped")
    data, run, step = write_photos(folder / "photos"), folder / "run", loop.train_step

    def interrupted(job, rows, batch_of):
        if job.state.step == 2:
            raise KeyboardInterrupt
        return step(job, rows, batch_of)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train_step", interrupted)
        patch.setattr("neocog.training.saving.SHARE", 1e9)  # every epoch's end is saved
        assert run_command_line(["train", str(data), "--out", str(run), *TRAINING, "--epochs", "4"]) == 130
    return data, run


@pytest.fixture
def stopped(_stopped, tmp_path):
    """A copy of the run that may be spoilt, and its data."""
    data, run = _stopped
    return data, shutil.copytree(run, tmp_path / "run")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


RESTORE = "restore it from a copy of the run"
MISSING = {
    "recipe.toml": ("a run: a folder with recipe.toml", "{run} without it", "give the folder that neocog train named at its end"),
    "splits.csv": ("splits.csv in the run", "{run} without it", RESTORE),
    "weights.safetensors": ("weights.safetensors in the run", "{run} without it", RESTORE),
}
CUT = {
    "recipe.toml": ("a whole recipe.toml", "{run}/recipe.toml", RESTORE),
    "splits.csv": ("a whole file of splits", "{run}/splits.csv, cut short", "restore it from a copy"),
    "plan.json": (
        *("a plan: a JSON file as a run's plan.json", "{run}/plan.json: "),
        "check the path or mend the file",
    ),
    "weights.safetensors": ("a whole file of weights", "{run}/weights.safetensors, damaged or cut short", "copy or fetch the file again"),
}
CUT_IN_THE_END = CUT | {
    "weights.safetensors": (
        *("the weights.safetensors that the training wrote", "{run}/weights.safetensors, cut short or changed"),
        RESTORE,
    ),
    "metrics.csv": ("a whole metrics.csv", "{run}/metrics.csv, cut short", RESTORE),
    "manifest.json": ("JSON in manifest.json", "{run}/manifest.json: ", RESTORE),
}


def assert_says(told, run, lines):
    expected, found, remedy = (line.format(run=run) for line in lines)
    said = told.err.splitlines()[-3:]
    assert said[0] == f"neocog: expected {expected}"
    assert said[1].startswith(f"found {found}")
    assert said[2] == f"to do: {remedy}"
    assert told.exit_code == 3
    assert told.out == ""


@pytest.mark.parametrize("command", ["resume", "evaluate"])
@pytest.mark.parametrize("name", MISSING)
def test_a_stopped_run_with_a_file_missing(name, command, tell, stopped):
    data, run = stopped
    (run / name).unlink()
    before = hashes(data)
    assert_says(tell(command, run), run, MISSING[name])
    assert hashes(data) == before


@pytest.mark.parametrize("command", ["resume", "evaluate"])
@pytest.mark.parametrize("name", CUT)
def test_a_stopped_run_with_a_file_cut_short(name, command, tell, stopped):
    _, run = stopped
    cut(run / name)
    broken = hashes(run)
    assert_says(tell(command, run), run, CUT[name])
    after = hashes(run)
    assert {path: after[path] for path in broken if path != "log.jsonl"} == {path: broken[path] for path in broken if path != "log.jsonl"}


@pytest.mark.parametrize("name", [*MISSING, "metrics.csv"])
def test_a_run_that_has_ended_with_a_file_missing(name, tell, trained):
    _, run = trained
    (run / name).unlink()
    lines = MISSING.get(name, (f"{name} in the run", "{run} without it", RESTORE))
    assert_says(tell("evaluate", run), run, lines)


@pytest.mark.parametrize("name", CUT_IN_THE_END)
def test_a_run_that_has_ended_with_a_file_cut_short(name, tell, trained):
    _, run = trained
    cut(run / name)
    assert_says(tell("evaluate", run), run, CUT_IN_THE_END[name])


def test_answers_need_the_weights_alone(tell, trained):
    data, run = trained
    whole = tell("predict", run, data, "--json").answer
    del whole["cost"]  # in seconds
    for name in ("splits.csv", "metrics.csv", "log.jsonl", "plan.json", "predictions.parquet"):
        (run / name).unlink()
    alone = tell("predict", run, data, "--json").answer
    del alone["cost"]
    assert alone == whole


def test_a_missing_plan_is_chosen_anew_and_said(tell, stopped):
    _, run = stopped
    (run / "plan.json").unlink()
    told = tell("resume", run)
    assert told.exit_code == 0
    assert "plan.json is missing: a plan is chosen anew, and what follows may differ in its last bits" in told.err.splitlines()


@pytest.mark.parametrize("spoil", [cut, Path.unlink])
def test_without_its_newest_checkpoint_a_training_goes_on_from_the_one_before(spoil, tell, stopped, tmp_path):
    _, run = stopped
    other = shutil.copytree(run, tmp_path / "other")
    newest = sorted((run / "checkpoint").iterdir())[-1]
    spoil(newest)
    told = tell("resume", run)
    assert told.exit_code == 0
    assert ("checkpoint set aside: " in told.err) == (spoil is cut)
    assert tell("resume", other).exit_code == 0
    assert hashes(run)["weights.safetensors"] == hashes(other)["weights.safetensors"]  # the same steps, done once more


def test_with_all_checkpoints_cut_short_there_is_nothing_to_go_on_from(tell, stopped):
    _, run = stopped
    for path in (run / "checkpoint").iterdir():
        cut(path)
    lines = (
        *("a whole checkpoint", f"{run}/checkpoint/step-000000002.safetensors, damaged or cut short"),
        "restore the checkpoint folder from a copy, or train anew into another folder",
    )
    assert_says(tell("resume", run), run, lines)


def test_a_run_that_another_process_writes_to(refused, stopped):
    data, run = stopped
    code = f"import filelock, sys; lock = filelock.FileLock({str(run / '.lock')!r}); lock.acquire(); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "\n"
        before = hashes(run)
        lines = (4, "a run that no other process writes to", f"{run}, which is locked", "wait for the other training, or stop it")
        refused(["resume", run], *lines)
        refused(["train", data, "--out", run, *TRAINING], *lines)
        assert hashes(run) == before
        other.kill()  # the operating system lets go of the lock
    assert run_command_line(["resume", str(run)]) == 0


def test_a_training_does_not_go_into_a_folder_that_holds_something(refused, photos, trained, tmp_path):
    data = photos()
    before = hashes(data)
    refused(
        ["train", data, "--out", data, *TRAINING],
        *(2, "a new or empty folder for the run", f"{data}, which holds cat, dog", "choose another folder"),
    )
    assert hashes(data) == before
    _, run = trained
    before = hashes(run)
    refused(
        ["train", data, "--out", run, *TRAINING],
        *(2, "a new or empty folder for the run", f"{run}, which holds .lock, checkpoint, log.jsonl, manifest.json"),
        f"neocog resume {run}, or choose another folder",
    )
    assert hashes(run) == before


def test_a_run_cannot_be_a_file(refused, photos, tmp_path):
    place = tmp_path / "file"
    place.write_text("mine")
    refused(
        ["train", photos(), "--out", place, *TRAINING],
        *(4, "a folder to write the run to", f"{place}: File exists", "choose another place with --out"),
    )
    assert place.read_text() == "mine"
