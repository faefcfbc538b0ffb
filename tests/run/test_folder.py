"""The run folder: who may write to it, what is in it, and what is said when something is not."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neocog.engine.plan import Plan
from neocog.errors import RunError, SurroundingsError, UsageError
from neocog.recipe import Recipe
from neocog.run import RunFolder
from neocog.run.folder import CHECKPOINTS, MANIFEST, METRICS, PLAN, PREDICTIONS, RECIPE, SPLITS, WEIGHTS

COMPLETE = Recipe(
    weight_decay=0.01,
    dataset="digits",
    task="classify",
    model="lenet5",
    image_size=(8, 8),
    channels=1,
    epochs=3,
    batch_size=16,
    learning_rate=0.1,
    augment=("pad_and_crop",),
)
CHECKPOINT = f"{CHECKPOINTS}/step-000000001.safetensors"


def run_with(path, *names):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("")
    return RunFolder(path)


def words(caught):
    return str(caught.value).splitlines()


class TestCreating:
    def test_a_folder_that_is_not_there_is_made(self, tmp_path):
        run = RunFolder.create(tmp_path / "runs" / "first")
        assert run.path.is_dir()
        assert not run.begun
        assert not run.finished

    @pytest.mark.parametrize("left", [[], [".recipe.toml.1.part"], [".lock"], [".lock", RECIPE, SPLITS, PLAN, "log.jsonl"]])
    def test_a_folder_where_no_step_was_done_is_taken_over_and_cleared(self, tmp_path, left):
        run_with(tmp_path, *left)
        run = RunFolder.create(tmp_path)
        with run.locked():
            run.require_new()
            run.start_over()
            assert {entry.name for entry in tmp_path.iterdir()} == {".lock", *({RECIPE} & set(left))}

    @pytest.mark.parametrize("made_before", [False, True])
    def test_one_that_nothing_was_written_to_leaves_no_trace(self, tmp_path, made_before):
        if made_before:
            (tmp_path / "run").mkdir()
        run = RunFolder.create(tmp_path / "run")
        with run.locked():
            run.leave_no_trace()
        assert [path.name for path in tmp_path.rglob("*")] == (["run"] if made_before else [])
        run = RunFolder.create(tmp_path / "run")
        with run.locked():
            run.log("plan")
            run.leave_no_trace()
        assert run.events()

    @pytest.mark.parametrize(
        ("held", "shown", "remedy"),
        [
            ([RECIPE, CHECKPOINT], "checkpoint, recipe.toml", "neocog resume {path}, or choose another folder"),
            ([RECIPE, METRICS], "metrics.csv, recipe.toml", "neocog resume {path}, or choose another folder"),
            (["thesis.tex", "a", "b", "c"], "a, b, c, thesis.tex", "choose another folder"),
            ([".lock", "thesis.part"], ".lock, thesis.part", "choose another folder"),
            ([RECIPE], "recipe.toml", "choose another folder"),
        ],
    )
    def test_a_folder_that_holds_something_is_refused_untouched(self, tmp_path, held, shown, remedy):
        run_with(tmp_path, *held)
        for attempt in (lambda: RunFolder.create(tmp_path), RunFolder(tmp_path).require_new):
            with pytest.raises(UsageError) as caught:
                attempt()
            assert words(caught) == [
                "expected: a new or empty folder for the run",
                f"found: {tmp_path}, which holds {shown}",
                f"to do: {remedy.format(path=tmp_path)}",
            ]
        assert all((tmp_path / name).exists() for name in held)

    def test_a_file_in_the_place_of_the_folder_is_refused(self, tmp_path):
        (tmp_path / "run").write_text("")
        with pytest.raises(SurroundingsError) as caught:
            RunFolder.create(tmp_path / "run")
        assert words(caught) == [
            "expected: a folder to write the run to",
            f"found: {tmp_path / 'run'}: File exists",
            "to do: choose another place with --out",
        ]

    def test_the_next_folder_is_the_first_that_is_not_there(self, tmp_path):
        stem = tmp_path / "runs" / "digits-lenet5"
        assert [RunFolder.create_next(stem).path.name for _ in range(3)] == ["digits-lenet5-1", "digits-lenet5-2", "digits-lenet5-3"]
        (tmp_path / "runs" / "digits-lenet5-2").rmdir()
        assert RunFolder.create_next(stem).path.name == "digits-lenet5-2"

    def test_a_place_where_no_folder_can_be_is_refused(self, tmp_path):
        (tmp_path / "runs").write_text("")
        with pytest.raises(SurroundingsError, match="expected: a folder to write the run to"):
            RunFolder.create_next(tmp_path / "runs" / "digits")


class TestOpening:
    def test_what_is_no_run_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("")
        (tmp_path / "photos").mkdir()
        cases = {
            "none": (UsageError, "the folder of a run", "{path}, which is not there", "check the path"),
            "file": (UsageError, "the folder of a run", "{path}, a file", "check the path"),
            "photos": (
                RunError,
                "a run: a folder with recipe.toml",
                "{path} without it",
                "give the folder that neocog train named at its end",
            ),
        }
        for name, (error, expected, found, remedy) in cases.items():
            with pytest.raises(error) as caught:
                RunFolder.open(tmp_path / name)
            assert words(caught) == [f"expected: {expected}", f"found: {found.format(path=tmp_path / name)}", f"to do: {remedy}"]

    def test_how_far_it_is_shows_in_its_files(self, tmp_path):
        run = RunFolder.open(run_with(tmp_path, RECIPE).path)
        assert (run.begun, run.finished) == (False, False)
        run_with(tmp_path, CHECKPOINT)
        assert (run.begun, run.finished) == (True, False)
        run_with(tmp_path, MANIFEST)
        assert (run.begun, run.finished) == (True, True)


class TestTheLock:
    def test_a_second_process_is_refused_until_the_first_has_died(self, tmp_path):
        code = "import filelock, sys\nwith filelock.FileLock(sys.argv[1]):\n    print('locked', flush=True)\n    input()"
        command = [sys.executable, "-c", code, str(tmp_path / ".lock")]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert holder.stdout.readline() == "locked\n"
        for attempt in (RunFolder(tmp_path).locked, lambda: RunFolder.create(tmp_path)):
            with pytest.raises(SurroundingsError) as caught:
                attempt().__enter__()
            assert words(caught) == [
                "expected: a run that no other process writes to",
                f"found: {tmp_path}, which is locked",
                "to do: wait for the other training, or stop it",
            ]
        holder.kill()
        holder.communicate()
        with RunFolder(tmp_path).locked():
            pass

    def test_it_is_free_after_an_error(self, tmp_path):
        with pytest.raises(ZeroDivisionError), RunFolder(tmp_path).locked():
            raise ZeroDivisionError
        with RunFolder(tmp_path).locked():
            pass

    def test_parts_that_a_kill_left_are_cleared(self, tmp_path):
        parts = [f".{WEIGHTS}.0123.part", f"{CHECKPOINTS}/.step-000000001.safetensors.0123.part"]
        kept = [WEIGHTS, CHECKPOINT, "mine.part"]
        run = run_with(tmp_path, *parts, *kept)
        with run.locked():
            assert not any((tmp_path / name).exists() for name in parts)
        assert all((tmp_path / name).exists() for name in kept)


class TestFiles:
    def test_recipe_and_plan_are_read_back(self, tmp_path):
        run = RunFolder(tmp_path)
        assert run.plan() is None
        plan = Plan(layout="channels_last", threads=3)
        run.write_recipe(COMPLETE)
        run.write_plan(plan)
        assert (run.recipe(), run.plan()) == (COMPLETE, plan)

    def test_a_recipe_that_is_cut_short_is_refused(self, tmp_path):
        run = RunFolder(tmp_path)
        run.write_recipe(COMPLETE)
        path = tmp_path / RECIPE
        whole = path.read_text()
        path.write_text(whole[: whole.index("batch_size")])
        with pytest.raises(RunError) as caught:
            run.recipe()
        assert words(caught) == [
            "expected: a whole recipe.toml",
            f"found: {path} without batch_size",
            "to do: restore it from a copy of the run",
        ]
        path.write_text(whole[: whole.index("batch_size") + 4])
        with pytest.raises(RunError) as caught:
            run.recipe()
        assert words(caught)[1].startswith(f"found: {path}: ")

    @pytest.mark.parametrize(
        ("there", "name", "remedy"),
        [
            ([RECIPE], WEIGHTS, "neocog resume {path}"),
            ([RECIPE, METRICS], PREDICTIONS, "neocog resume {path}"),
            ([RECIPE, MANIFEST], WEIGHTS, "restore it from a copy of the run"),
            ([], RECIPE, "restore it from a copy of the run"),
        ],
    )
    def test_a_file_that_is_missing_is_named(self, tmp_path, there, name, remedy):
        with pytest.raises(RunError) as caught:
            run_with(tmp_path, *there).require(name)
        assert words(caught) == [f"expected: {name} in the run", f"found: {tmp_path} without it", f"to do: {remedy.format(path=tmp_path)}"]

    def test_weights_that_were_written_and_are_gone_are_not_to_be_had_from_a_resume(self, tmp_path):
        run = run_with(tmp_path, RECIPE)
        run.write_metrics([{"epoch": 1}])
        with pytest.raises(RunError, match="to do: restore it from a copy of the run"):
            run.require(WEIGHTS)

    def test_metrics_are_read_back_to_the_last_bit(self, tmp_path):
        run = RunFolder(tmp_path)
        assert run.metrics() == []
        rows = [{"epoch": 1, "val/loss": 0.1 + 0.2}, {"epoch": 2, "val/loss": 1e-300, "val/accuracy": 1 / 3}]
        run.write_metrics(rows)
        assert run.metrics() == rows
        assert (tmp_path / METRICS).read_text() == ("epoch,val/loss,val/accuracy\n1,0.30000000000000004,\n2,1e-300,0.3333333333333333\n")

    def test_metrics_that_are_no_numbers_are_refused(self, tmp_path):
        (tmp_path / METRICS).write_text("epoch\none\n")
        with pytest.raises(RunError) as caught:
            RunFolder(tmp_path).metrics()
        assert words(caught) == [
            "expected: numbers in metrics.csv",
            f"found: {tmp_path / METRICS}: could not convert string to float: 'one'",
            "to do: restore it from a copy of the run",
        ]

    def test_events_are_read_back_without_lines_that_are_none(self, tmp_path):
        run = RunFolder(tmp_path)
        assert run.events() == []
        run.log("plan", step=0, path=Path("a"))
        run.log("interrupted", step=3, signal="SIGINT")
        with (tmp_path / "log.jsonl").open("a") as file:
            file.write('[1]\n"text"\n{"event": "pl')
        assert run.events() == [{"event": "plan", "step": 0, "path": "a"}, {"event": "interrupted", "step": 3, "signal": "SIGINT"}]

    def test_a_log_that_cannot_be_written_is_named(self, tmp_path):
        (tmp_path / "log.jsonl").mkdir()
        with pytest.raises(SurroundingsError) as caught:
            RunFolder(tmp_path).log("plan")
        assert words(caught) == [
            "expected: a folder to write the run to",
            f"found: {tmp_path}: Is a directory",
            "to do: free some space, or make the folder writable",
        ]

    def test_what_was_recorded_after_a_checkpoint_is_cut_back(self, tmp_path):
        run = RunFolder(tmp_path)
        for step in (0, 3, 4, 6):
            run.log("event", step=step)
        with (tmp_path / "log.jsonl").open("a") as file:
            file.write('{"event": "pl')
        run.write_metrics([{"epoch": 1}, {"epoch": 2}])
        run.cut_back(4, [{"epoch": 1}])
        assert [event["step"] for event in run.events()] == [0, 3, 4]
        assert run.metrics() == [{"epoch": 1}]
        run.log("event", step=5)
        assert [event["step"] for event in run.events()] == [0, 3, 4, 5]
        run.cut_back(0, [])
        assert not (tmp_path / METRICS).exists()


class TestTheManifest:
    def test_it_has_the_facts_and_the_hashes_of_the_results(self, tmp_path):
        run = run_with(tmp_path, RECIPE, METRICS, CHECKPOINT)
        (tmp_path / WEIGHTS).write_bytes(b"weights")
        run.write_manifest({"metrics": {"test/accuracy": 0.5}})
        assert run.manifest() == {
            "metrics": {"test/accuracy": 0.5},
            "files": {
                RECIPE: hashlib.sha256(b"").hexdigest(),
                METRICS: hashlib.sha256(b"").hexdigest(),
                WEIGHTS: hashlib.sha256(b"weights").hexdigest(),
            },
        }
        run.verify()

    def test_one_that_is_cut_short_is_refused(self, tmp_path):
        (tmp_path / MANIFEST).write_text('{"metrics"')
        with pytest.raises(RunError) as caught:
            RunFolder(tmp_path).manifest()
        assert words(caught)[0] == "expected: JSON in manifest.json"
        assert re.match(rf"found: {re.escape(str(tmp_path / MANIFEST))}: Expecting", words(caught)[1])
        assert words(caught)[2] == "to do: restore it from a copy of the run"

    def test_weights_that_changed_since_are_refused(self, tmp_path):
        run = run_with(tmp_path, RECIPE)
        (tmp_path / WEIGHTS).write_bytes(b"weights")
        run.write_manifest({"metrics": {}})
        os.truncate(tmp_path / WEIGHTS, 3)
        with pytest.raises(RunError) as caught:
            run.verify()
        assert words(caught) == [
            "expected: the weights.safetensors that the training wrote",
            f"found: {tmp_path / WEIGHTS}, cut short or changed",
            "to do: restore it from a copy of the run",
        ]

    @pytest.mark.parametrize(
        ("facts", "lacking"),
        [([], "metrics"), ({"files": {}}, "metrics"), ({"metrics": {}}, "files"), ({"metrics": {}, "files": 1}, "files")],
    )
    def test_one_that_lacks_a_part_is_refused(self, tmp_path, facts, lacking):
        run = run_with(tmp_path, RECIPE, WEIGHTS)
        (tmp_path / MANIFEST).write_text(json.dumps(facts))
        for attempt in (run.verify, run.manifest, lambda: run.renew_hash(WEIGHTS)):
            with pytest.raises(RunError) as caught:
                attempt()
            assert words(caught) == [
                f"expected: a table of {lacking} in manifest.json",
                f"found: {tmp_path / MANIFEST} without it",
                "to do: restore it from a copy of the run",
            ]
