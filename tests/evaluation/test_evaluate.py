"""What an evaluation keeps, whose pictures it takes, and where it may be written."""

import json
from dataclasses import replace

import pytest
import torch
from pyarrow import parquet

import neocog
from neocog.batch import Batch
from neocog.data.splits import read_splits, write_splits
from neocog.data.survey import Fault
from neocog.engine import forward
from neocog.errors import DataError, SurroundingsError, UsageError
from neocog.evaluation import answers, evaluate, own_pictures, read_material, recorded_splits
from neocog.evaluation.predictions import write_predictions
from neocog.progress import Silent

CHOICES = {"model": "softmax_regression", "epochs": 1, "progress": False, "speed": "exact"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return neocog.train("digits", out=tmp_path_factory.mktemp("evaluated") / "run", **CHOICES)


@pytest.fixture(scope="module")
def material(run):
    return read_material(neocog.open_dataset("digits"), run.trained.task, run.trained.preprocess, allow_bad=False, progress=Silent())


@pytest.fixture
def copied(run, material, tmp_path):
    """The record of the run's splits, to be spoilt."""
    path = tmp_path / "splits.csv"
    write_splits(path, read_splits(run.path / "splits.csv", material.dataset, material.digests), material.dataset, material.digests)
    return path


def test_of_a_classification_the_five_best_are_kept(run, material):
    rows = torch.arange(0, 1797, 100)
    found = evaluate(run.trained, material.loader, rows).predictions
    logits = forward(run.trained.model, material.loader.batch(rows).images, run.trained.plan)
    best = logits.softmax(1).sort(dim=1, descending=True)
    assert torch.equal(found.answers, logits.argmax(1))
    assert found.truth.tolist() == [material.dataset.target(int(index)).index for index in rows]
    assert torch.equal(found.classes, best.indices[:, :5])
    assert torch.allclose(found.probabilities, best.values[:, :5])


def test_the_table_has_a_row_for_each_picture(run, material, tmp_path):
    rows = torch.tensor([3, 1])
    evaluation = evaluate(run.trained, material.loader, rows)
    write_predictions(tmp_path / "predictions.parquet", evaluation, material.dataset, run.class_names)
    table = parquet.read_table(tmp_path / "predictions.parquet").to_pylist()
    assert [row["picture"] for row in table] == [material.dataset.where(3), material.dataset.where(1)]
    for row, answer, truth in zip(table, evaluation.predictions.answers.tolist(), evaluation.predictions.truth.tolist(), strict=True):
        assert row["prediction"] == row["top_classes"][0] == run.class_names[answer]
        assert row["confidence"] == row["top_probabilities"][0] == max(row["top_probabilities"])
        assert (row["target"], row["correct"]) == (run.class_names[truth], answer == truth)
        assert len(row["top_classes"]) == 5


def test_targets_are_in_the_networks_classes_before_they_leave_the_processor(run, material, monkeypatch):
    """Another device cannot be asked with indices of this one."""
    moved, move = [], Batch.to
    monkeypatch.setattr(Batch, "to", lambda batch, device: moved.append(batch.targets.classes.tolist()) or move(batch, device))
    rows, classes = torch.arange(4), torch.arange(10).flip(0)
    list(answers(run.trained.model, run.trained.task, run.trained.plan, material.loader, rows, classes=classes))
    assert moved == [[9 - material.dataset.target(index).index for index in range(4)]]


def test_the_split_is_test_else_val_else_train(material, copied):
    assert own_pictures(material, copied, None)[0] == "test"
    copied.write_text(copied.read_text().replace(",test,", ",train,"))
    assert own_pictures(material, copied, None)[0] == "val"
    copied.write_text(copied.read_text().replace(",val,", ",train,"))
    name, rows = own_pictures(material, copied, None)
    assert (name, len(rows)) == ("train", len(material.dataset))
    with pytest.raises(DataError) as caught:
        own_pictures(material, copied, "val")
    assert str(caught.value) == "expected: pictures in val of digits\nfound: none\nto do: choose another split"
    with pytest.raises(UsageError) as caught:
        own_pictures(material, copied, "tset")
    assert str(caught.value) == "expected: the name of a split\nfound: 'tset'\nto do: choose one of train, val, test"


def test_a_picture_that_can_no_longer_be_read_is_named(material, copied):
    where = material.dataset.where(7)
    later = replace(material, faults=[Fault(where, "damaged", "a broken stream")])
    with pytest.raises(DataError) as caught:
        recorded_splits(later, copied)
    assert str(caught.value) == (
        f"expected: the pictures that {copied} lists, readable\n"
        f"found: {where}: damaged: a broken stream\n"
        "to do: make it readable again, or start a new training"
    )
    lines = copied.read_text().splitlines()
    split = next(line for line in lines if line.startswith(f"{where},")).split(",")
    aside = ",".join([where, "set aside", *split[2:4], "damaged"])
    copied.write_text("\n".join(aside if line.startswith(f"{where},") else line for line in lines) + "\n")
    assert recorded_splits(later, copied).set_aside == [(where, "damaged")]


class TestSaving:
    def refused(self, run, folder, found):
        before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        with pytest.raises(UsageError) as caught:
            run.evaluate(save=folder, progress=False)
        assert str(caught.value) == (
            f"expected: a folder for the evaluation that holds no other work\nfound: {found}\nto do: choose another place with --save"
        )
        assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before

    def test_another_runs_folder_is_refused(self, run, tmp_path):
        other = neocog.train("digits", out=tmp_path / "other", **CHOICES)
        self.refused(run, other.path, f"{other.path}, a run")

    @pytest.mark.parametrize("name", ["predictions.parquet", "mistakes.png", "confusion_matrix.png"])
    def test_files_of_others_are_not_replaced(self, run, tmp_path, name):
        (tmp_path / name).write_text("mine")
        self.refused(run, tmp_path, f"{tmp_path / name}, which no evaluation wrote")

    def test_an_earlier_evaluation_is_replaced(self, run, tmp_path):
        run.evaluate(save=tmp_path, split="val", progress=False)
        run.evaluate(save=tmp_path, progress=False)
        assert all(name.startswith("test/") for name in json.loads((tmp_path / "evaluation.json").read_text())["metrics"])

    def test_the_runs_own_folder_is(self, run):
        files = {path.name for path in run.evaluate(save=run.path, progress=False).files}
        assert files >= {"predictions.parquet", "evaluation.json", "confusion_matrix.png"}

    def test_a_place_where_no_folder_can_be_is_named(self, run, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(SurroundingsError, match="expected: a folder to write to"):
            run.evaluate(save=tmp_path / "file", progress=False)


def test_a_network_made_on_the_spot_is_told_of_its_weights():
    with pytest.raises(TypeError, match="weights"):
        neocog.pretrained("softmax_regression")
    assert neocog.pretrained("softmax_regression", weights=None).trained.notes == ("the weights are random: its answers mean nothing",)
