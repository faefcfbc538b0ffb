"""Trainings from the command to the end, and every way in which they end too soon."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

import neocog
from neocog.data.splits import read_splits
from neocog.models import read_state
from neocog.run import RunFolder
from training.kills import MLP, left_behind, results

STEPS = 6  # an epoch


class TestToTheEnd:
    def test_the_files_of_a_run(self, whole):
        assert results(whole)["names"] == [
            ".lock",
            "checkpoint",
            "log.jsonl",
            "manifest.json",
            "metrics.csv",
            "plan.json",
            "predictions.parquet",
            "recipe.toml",
            "splits.csv",
            "weights.safetensors",
        ]
        assert sorted(path.name for path in (whole / "checkpoint").iterdir()) == [
            "step-000000012.safetensors",
            "step-000000018.safetensors",
        ]
        RunFolder.open(whole).verify()

    def test_metrics_have_a_row_an_epoch_and_the_manifest_those_of_the_best(self, whole):
        folder = RunFolder.open(whole)
        rows, manifest = folder.metrics(), folder.manifest()
        assert [(row["epoch"], row["step"]) for row in rows] == [(1, 6), (2, 12), (3, 18)]
        best = max(rows, key=lambda row: (row["val/accuracy"], row["epoch"]))  # of equal ones the last
        assert manifest["best_epoch"] == best["epoch"]
        assert manifest["metrics"].items() >= {name: value for name, value in best.items() if name.startswith("val/")}.items()
        assert 0 <= manifest["metrics"]["test/accuracy"] <= 1

    def test_images_are_normalised_by_the_statistics_of_the_training_pictures(self, whole):
        recipe = RunFolder.open(whole).recipe()
        dataset = neocog.open_dataset(recipe.dataset)
        digests = [dataset.digest(index) for index in range(len(dataset))]
        train = read_splits(whole / "splits.csv", dataset, digests).train.numpy()
        levels = np.round(load_digits().images[train] * 255 / 16) / 255
        preprocess = read_state(whole / "weights.safetensors").preprocess
        assert preprocess.mean == pytest.approx([levels.mean()], abs=1e-4)
        assert preprocess.std == pytest.approx([levels.std()], abs=1e-4)

    def test_equal_commands_give_equal_bits_and_another_seed_others(self, commands, whole, run, tmp_path):
        assert commands.run(*MLP, "--out", run) == 0
        assert results(run) == results(whole)
        assert commands.run(*MLP, "--out", tmp_path / "other", "--seed", "1") == 0
        other = results(tmp_path / "other")
        assert all(other[name] != results(whole)[name] for name in ("recipe.toml", "splits.csv", "weights.safetensors"))

    def test_every_so_many_epochs_a_checkpoint_is_kept(self, commands, run):
        assert commands.run(*MLP, "--out", run, "--epochs", "7", "--keep-every", "3") == 0
        kept = sorted(int(path.stem.removeprefix("step-")) // STEPS for path in (run / "checkpoint").iterdir())
        assert kept == [3, 6, 7]


class TestPatience:
    command = (*MLP, "--epochs", "9", "--patience", "2")
    at_rest = ("--learning-rate", "1e-30", "--schedule", "constant")  # every epoch is equal to the first, which is the best

    def test_epochs_that_bring_nothing_better_end_the_training(self, said, run):
        code, lines = said(*self.command, *self.at_rest, "--out", run)
        assert code == 0
        assert "ended after epoch 3: nothing better than epoch 1 in 2 epochs" in lines
        assert [row["epoch"] for row in RunFolder(run).metrics()] == [1, 2, 3]
        assert RunFolder(run).finished

    def test_a_stop_on_the_way_changes_nothing(self, said, run, tmp_path):
        whole = tmp_path / "whole"
        assert said(*self.command, *self.at_rest, "--out", whole)[0] == 0
        assert said(*self.command, *self.at_rest, "--out", run, fault={"call": "step", "time": 3 * STEPS, "signal": "SIGTERM"})[0] == 130
        assert said("resume", run)[0] == 0
        assert results(run) == results(whole)

    def test_killed_after_its_last_checkpoint_it_trains_no_further(self, said, run):
        assert said(*self.command, *self.at_rest, "--out", run, fault={"call": "evaluation"})[0] == -9
        assert said("resume", run)[0] == 0
        assert [row["epoch"] for row in RunFolder(run).metrics()] == [1, 2, 3]


class TestSignals:
    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
    def test_the_step_is_finished_and_a_checkpoint_saved(self, said, run, whole, name):
        code, lines = said(*MLP, "--out", run, fault={"call": "step", "time": 9, "signal": name})
        assert code == 130
        assert lines[-3:] == [
            "neocog: expected a training to its end",
            f"found {name} at step 9 of 18",
            f"to do: neocog resume {run}",
        ]
        assert sorted(path.name for path in (run / "checkpoint").iterdir()) == ["step-000000006.safetensors", "step-000000009.safetensors"]
        assert RunFolder(run).events()[-1] == {"event": "interrupted", "step": 9, "signal": name}
        assert said("resume", run)[0] == 0
        assert results(run) == results(whole)

    def test_a_second_interruption_ends_at_once_and_the_run_still_resumes(self, said, run, whole):
        twice = [{"call": "step", "time": 9, "signal": "SIGINT"}, {"call": "loss", "time": 9, "signal": "SIGINT"}]
        assert said(*MLP, "--out", run, fault=twice)[0] == 130
        assert [path.name for path in (run / "checkpoint").iterdir()] == ["step-000000006.safetensors"]
        assert said("resume", run)[0] == 0
        assert results(run) == results(whole)

    def test_a_second_interruption_while_the_checkpoint_is_written_leaves_no_part(self, said, run, whole):
        twice = [{"call": "step", "time": 9, "signal": "SIGINT"}, {"call": "writing", "time": 1, "signal": "SIGINT"}]
        assert said(*MLP, "--out", run, fault=twice)[0] == 130
        assert left_behind(run) == []
        assert said("resume", run)[0] == 0
        assert results(run) == results(whole)

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
    def test_while_pictures_are_read_it_ends_at_once_and_leaves_nothing(self, said, run, name):
        code, lines = said(*MLP, "--out", run, fault={"call": "reading", "signal": name})
        assert code == 130
        assert lines == [
            "neocog: expected a training to its end",
            f"found {name}",
            "to do: give the command again: nothing was trained yet",
        ]
        assert not run.exists()

    def test_in_the_probe_it_ends_at_once_and_the_run_resumes(self, said, run, whole):
        probed = {"neocog.engine.probe.MOST_OF_THE_JOB": 1000}  # however short the job
        code, lines = said(*MLP[:-2], "--out", run, patches=probed, fault={"call": "probe", "time": 3, "signal": "SIGTERM"})
        assert code == 130
        assert lines[-2:] == ["found SIGTERM", f"to do: neocog resume {run}"]
        assert not (run / "plan.json").exists()
        assert said("resume", run)[0] == 0

    @pytest.mark.parametrize("call", ["evaluation", "final batch"])
    def test_in_the_final_evaluation_it_ends_at_once_and_the_run_resumes(self, said, run, whole, call):
        fault = {"call": "evaluation"} if call == "evaluation" else {"call": "batch", "time": 4}
        code, lines = said(*MLP, "--out", run, fault={**fault, "signal": "SIGTERM"})
        assert code == 130
        assert lines[-2:] == ["found SIGTERM", f"to do: neocog resume {run}"]
        assert not (run / "manifest.json").exists()
        assert said("resume", run)[0] == 0
        assert results(run) == results(whole)


class TestDivergence:
    def test_a_loss_that_is_no_number_ends_the_training(self, said, run):
        code, lines = said(*MLP, "--out", run, "--learning-rate", "1e30")
        assert code == 5
        assert lines[-3] == "neocog: expected a loss that is a number"
        assert re.fullmatch(
            r"found (nan|inf) in epoch 1, step \d, first in the output of head\.fc, at learning rate \d\.?\d*e\+\d\d", lines[-2]
        )
        assert lines[-1] == "to do: train with a smaller learning rate, as --learning-rate 1e+29"
        assert RunFolder(run).events()[-1]["event"] == "diverged"

    def test_so_does_one_that_shows_in_the_validation(self, said, run):
        command = (*MLP, "--out", run, "--optimizer", "gradient_descent", "--schedule", "constant", "--learning-rate", "1e38")
        code, lines = said(*command)
        assert code == 5
        assert re.fullmatch(r"found (nan|inf) in the validation after epoch 1, at learning rate 1e\+38", lines[-2])
        assert not (run / "weights.safetensors").exists()

    def test_so_does_one_that_stays_above_its_start(self, said, run):
        patches = {"neocog.training.divergence.LONG": 3}
        command = (*MLP, "--out", run, "--optimizer", "sgd", "--schedule", "constant", "--learning-rate", "30")
        code, lines = said(*command, patches=patches)
        assert code == 5
        assert lines[-3] == "neocog: expected a loss that falls below that of the first step"
        number = r"\d+(\.\d+)?(e\+\d+)?"
        assert re.fullmatch(
            rf"found {number} in epoch 2, step \d+, and more than {number} in the 6 steps up to it, at learning rate 30", lines[-2]
        )
        assert lines[-1] == "to do: train with a smaller learning rate, as --learning-rate 3; the weights of epoch 1 are kept"
        assert (run / "weights.safetensors").exists()


class TestCheckpointsThatAreNoUse:
    @pytest.fixture
    def stopped(self, said, run):
        assert said(*MLP, "--out", run, fault={"call": "step", "time": 15, "signal": "SIGTERM"})[0] == 130
        assert len(list((run / "checkpoint").iterdir())) == 3
        return run

    def damage(self, path):
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")

    def test_a_damaged_one_is_set_aside_in_words_and_the_one_before_it_used(self, said, stopped, whole):
        newest = max((stopped / "checkpoint").iterdir())
        self.damage(newest)
        code, lines = said("resume", stopped)
        assert code == 0
        fault = f"{newest}, whose content does not match its checksum"
        assert f"checkpoint set aside: {fault}" in lines
        assert {"event": "checkpoint set aside", "step": 12, "fault": fault} in RunFolder(stopped).events()
        assert results(stopped) == results(whole)

    def test_where_all_are_damaged_the_run_cannot_go_on(self, said, stopped):
        for path in (stopped / "checkpoint").iterdir():
            self.damage(path)
        code, lines = said("resume", stopped)
        assert code == 3
        assert lines[-3] == "neocog: expected a whole checkpoint"
        assert lines[-1] == "to do: restore the checkpoint folder from a copy, or train anew into another folder"

    def test_a_disk_that_is_full_leaves_the_older_ones(self, said, stopped, whole):
        before = {path.name: path.read_bytes() for path in (stopped / "checkpoint").iterdir()}
        stop = {"call": "step", "time": 2, "signal": "SIGTERM"}
        code, lines = said("resume", stopped, fault=stop, largest_file=5000)
        assert code == 4
        assert re.fullmatch(r"neocog: expected [\d,]+ bytes written to .*/checkpoint/step-000000017.safetensors", lines[-3])
        assert lines[-2:] == ["found File too large", "to do: free some space, or choose another folder"]
        assert {path.name: path.read_bytes() for path in (stopped / "checkpoint").iterdir()} == before
        assert said("resume", stopped)[0] == 0
        assert results(stopped) == results(whole)

    def test_those_of_another_network_are_told_from_damaged_ones(self, said, stopped):
        recipe = stopped / "recipe.toml"
        recipe.write_text(recipe.read_text().replace("widths = [12]", "widths = [13]"))
        code, lines = said("resume", stopped)
        assert code == 3
        newest = max((stopped / "checkpoint").iterdir())
        assert lines[-3:] == [
            "neocog: expected a checkpoint of the recipe's network",
            f"found {newest} with stages.hidden1.fc.weight of shape [12, 64], not [13, 64]",
            "to do: put recipe.toml and checkpoints of one run together again, or train anew into another folder",
        ]

    def test_weights_that_are_gone_are_missed_at_the_beginning(self, said, stopped):
        (stopped / "weights.safetensors").unlink()
        code, lines = said("resume", stopped)
        assert code == 3
        assert lines[-3:] == [
            "neocog: expected weights.safetensors in the run",
            f"found {stopped} without it",
            "to do: restore it from a copy of the run",
        ]
