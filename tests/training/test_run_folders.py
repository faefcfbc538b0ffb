"""Where trainings go and how they are computed: folders that are taken or refused, plans, what is read once and logged."""

import importlib
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import neocog
from neocog.engine.plan import Plan, default_plan
from neocog.errors import DataError, RunError, SurroundingsError, UsageError
from neocog.models import read_state
from neocog.run import RunFolder
from neocog.training import job
from training.kills import MLP, results

train = importlib.import_module("neocog.training.train")  # the package has a function of that name


class TestTheFolder:
    def test_one_where_no_step_was_done_is_begun_anew_with_nothing_of_the_old(self, commands, run, whole):
        other = ("train", "digits", "--model", "lenet5", "--seed", "5", "--epochs", "1", "--speed", "exact")
        assert commands.run(*other, "--out", run, fault={"call": "step", "time": 1}) == -9
        assert (run / "plan.json").exists()
        assert commands.run(*MLP, "--out", run) == 0
        assert results(run) == results(whole)

    def test_one_where_a_training_goes_on_or_has_ended_is_refused(self, said, run):
        assert said(*MLP, "--out", run, fault={"call": "step", "time": 9, "signal": "SIGTERM"})[0] == 130
        before = results_so_far(run)
        code, lines = said(*MLP, "--out", run)
        assert code == 2
        assert lines[-3] == "neocog: expected a new or empty folder for the run"
        assert lines[-1] == f"to do: neocog resume {run}, or choose another folder"
        assert results_so_far(run) == before

    def test_one_that_a_person_put_a_recipe_into_is_refused_untouched(self, said, run):
        run.mkdir()
        (run / "recipe.toml").write_text('dataset = "digits"\n')
        code, lines = said("train", "--recipe", run / "recipe.toml", "--out", run)
        assert code == 2
        assert lines == [
            "neocog: expected a new or empty folder for the run",
            f"found {run}, which holds recipe.toml",
            "to do: choose another folder",
        ]
        assert {path.name: path.read_text() for path in run.iterdir()} == {"recipe.toml": 'dataset = "digits"\n'}

    def test_a_training_that_is_refused_leaves_no_folder_and_takes_nothing_away(self, commands, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name in ("cat", "dog"):
            (tmp_path / "photos" / name).mkdir(parents=True)
            for number in range(20):
                (tmp_path / "photos" / name / f"{number}.png").write_bytes(b"no picture")
        with pytest.raises(DataError):
            neocog.train("photos", progress=False)
        assert list((tmp_path / "runs").iterdir()) == []
        assert commands.run(*MLP, "--out", run, fault={"call": "step", "time": 1}) == -9
        before = results_so_far(run)
        with pytest.raises(DataError):
            neocog.train("photos", out=run, progress=False)
        assert results_so_far(run) == before

    def test_without_a_place_the_next_free_one_is_taken(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        choices = {"model": "softmax_regression", "epochs": 1, "progress": False}
        paths = [neocog.train("digits", **choices).path for _ in range(2)]
        assert [str(path) for path in paths] == ["runs/digits-softmax_regression-1", "runs/digits-softmax_regression-2"]

    def test_a_second_training_into_one_folder_is_refused(self, run):
        folder = RunFolder.create(run)
        with folder.locked(), pytest.raises(SurroundingsError, match="a run that no other process writes to"):
            neocog.train("digits", out=run, progress=False)


def results_so_far(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


SOFTMAX = {"model": "softmax_regression", "epochs": 2, "progress": False}


class TestPlans:
    def plan_file(self, folder, **changes):
        path = folder / "a-plan.json"
        path.write_text(json.dumps({**default_plan().to_dict(), **changes}))
        return path

    def test_a_plans_file_is_obeyed(self, run, tmp_path):
        path = self.plan_file(tmp_path, layout="channels_last", threads=1, micro_batch=7)
        neocog.train("digits", out=run, speed=str(path), **SOFTMAX)
        assert RunFolder(run).plan() == Plan(**json.loads(path.read_text()))

    @pytest.mark.parametrize("weights", [(), (1.0, 20.0, 3.0, 0.1, 5.0, 6.0, 0.01, 8.0, 9.0, 10.0)])
    def test_parts_of_a_batch_add_up_to_the_same_step(self, run, tmp_path, weights):
        """The network has no batch norm, so that only the order of additions differs."""
        path = self.plan_file(tmp_path, micro_batch=7)
        choices = {"augment": (), "class_weights": weights, **SOFTMAX}
        parts = neocog.train("digits", out=run, speed=str(path), **choices)
        whole = neocog.train("digits", out=tmp_path / "whole", speed="exact", **choices)
        tensors, others = (read_state(run.path / "weights.safetensors").tensors for run in (parts, whole))
        for name, tensor in tensors.items():
            assert (tensor - others[name]).abs().max() < 1e-4

    @pytest.mark.skipif(default_plan().device != "cpu", reason="needs a machine without an accelerator")
    def test_a_plan_for_an_accelerator_that_is_not_here_is_refused(self, run, tmp_path):
        path = self.plan_file(tmp_path, device="cuda")
        with pytest.raises(UsageError) as caught:
            neocog.train("digits", out=run, speed=str(path), **SOFTMAX)
        assert str(caught.value) == (
            f"expected: a plan for cpu, which is here\nfound: cuda in {path}\nto do: give another plan, or leave speed at auto"
        )

    @pytest.mark.skipif(default_plan().device != "cpu", reason="needs a machine without an accelerator")
    def test_a_run_from_a_machine_with_an_accelerator_is_at_home_here(self, run):
        accuracy = neocog.train("digits", out=run, **SOFTMAX).metrics["test/accuracy"]
        folder = RunFolder(run)
        folder.write_plan(Plan(**{**folder.plan().to_dict(), "device": "cuda", "machine": "another"}))
        there = neocog.open_run(run)
        assert there.trained.plan == default_plan()
        assert there.evaluate(progress=False).metrics["accuracy"] == pytest.approx(accuracy, abs=0.02)

    def test_on_another_machine_that_is_said_and_the_training_goes_on(self, said, run):
        assert said(*MLP, "--out", run, fault={"call": "step", "time": 9, "signal": "SIGTERM"})[0] == 130
        folder = RunFolder(run)
        folder.write_plan(Plan(**{**folder.plan().to_dict(), "machine": "another"}))
        code, lines = said("resume", run)
        assert code == 0
        assert "the plan was made on another machine: what follows may differ in its last bits" in lines
        assert "other machine" in {event["event"] for event in folder.events()}


def test_what_the_splits_lack_is_logged(run, tmp_path):
    for number, name in enumerate(["cat", "cat", "dog", "dog"]):
        (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), number, dtype=np.uint8)).save(tmp_path / "photos" / name / f"{number}.png")
    neocog.train(tmp_path / "photos", out=run, **SOFTMAX)
    events = RunFolder(run).events()
    assert [event["event"] for event in events[:2]] == ["splits", "read"]
    assert events[0]["note"].startswith("val is empty")


def test_data_are_opened_and_options_are_read_once(run, monkeypatch):
    calls = Counter()

    def counted(name):
        function = getattr(train if name == "open_dataset" else job, name)

        def counting(*arguments, **named):
            calls[name, str(arguments[-1])] += 1
            return function(*arguments, **named)

        return counting

    monkeypatch.setattr(train, "open_dataset", counted("open_dataset"))
    monkeypatch.setattr(job, "options_of", counted("options_of"))
    neocog.train("digits", out=run, **SOFTMAX)
    assert calls["open_dataset", "digits"] == 1
    assert calls["options_of", "the schedule one_cycle"] == 1


def test_a_run_that_is_none_cannot_be_resumed(tmp_path):
    with pytest.raises(UsageError, match="expected: the folder of a run"):
        neocog.resume(tmp_path / "none", progress=False)
    with pytest.raises(RunError, match=r"expected: a run: a folder with recipe\.toml"):
        neocog.resume(tmp_path, progress=False)
