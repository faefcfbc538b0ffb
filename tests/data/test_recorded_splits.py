"""The record of splits, written and read back, and told from what has changed since."""

import pytest
import torch

from neocog.data.dataset import SPLITS
from neocog.data.open import open_dataset
from neocog.data.splits import make_splits, read_splits, recorded_pictures, write_splits
from neocog.data.survey import Fault, survey
from neocog.errors import DataError


def made(dataset, seed=0):
    found = survey(dataset)
    return make_splits(dataset, found.digests, found.faults, seed), found.digests


@pytest.fixture
def recorded(folder, tmp_path):
    files = {f"{c}/{n}.png": n + 50 * (c == "b") for c in "ab" for n in range(10)}
    dataset = open_dataset(folder(files | {"a/bad.png": b"", 'b/odd, "name"\n.png': 99}))
    splits, digests = made(dataset)
    path = tmp_path / "splits.csv"
    write_splits(path, splits, dataset, digests)
    return dataset, splits, digests, path


def test_record_and_back(recorded):
    dataset, splits, digests, path = recorded
    back = read_splits(path, dataset, digests)
    assert all(torch.equal(splits.of(split), back.of(split)) for split in SPLITS)
    assert back.set_aside == splits.set_aside
    lines = path.read_text().splitlines()
    assert lines[0] == "picture,split,class,digest,reason"
    assert f"a/bad.png,set aside,a,{digests[10].hex()},empty: an empty file" in lines


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda root: (root / "a" / "3.png").write_bytes(b"other"), "a/3.png has another content"),
        (lambda root: (root / "a" / "3.png").unlink(), "a/3.png is gone"),
        (lambda root: (root / "a" / "new.png").write_bytes(b"x"), "a/new.png is new"),
        (lambda root: (root / "a" / "3.png").rename(root / "a" / "moved.png"), "a/3.png is gone"),
    ],
)
def test_pictures_that_changed_are_named(recorded, change, found):
    dataset, _, _, path = recorded
    change(dataset.root)
    changed = open_dataset(dataset.root)
    digests = survey(changed).digests
    with pytest.raises(DataError) as caught:
        read_splits(path, changed, digests)
    assert str(caught.value) == (
        f"expected: the pictures that {path} lists, unchanged\nfound: {found}\nto do: put the pictures back, or start a new training"
    )


def test_the_recorded_pictures_of_some_splits(recorded):
    dataset, splits, _, path = recorded
    unseen = [dataset.where(index) for index in range(len(dataset)) if index in splits.val or index in splits.test]
    assert recorded_pictures(path, ("val", "test")) == unseen
    assert 'b/odd, "name"\n.png' in recorded_pictures(path, SPLITS)
    assert "a/bad.png" not in recorded_pictures(path, SPLITS)


def test_a_picture_whose_class_was_corrected_is_named(folder, tmp_path):
    """The names stay the same, so that nothing else would tell."""
    labels = "path,label\n" + "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(12))
    root = folder({"labels.csv": labels.encode(), **{f"{number}.png": number for number in range(12)}})
    dataset = open_dataset(root)
    splits, digests = made(dataset)
    path = tmp_path / "splits.csv"
    write_splits(path, splits, dataset, digests)
    (root / "labels.csv").write_text(labels.replace("3.png,b", "3.png,a"))
    with pytest.raises(DataError) as caught:
        read_splits(path, open_dataset(root), digests)
    assert str(caught.value).splitlines()[1] == "found: 3.png is of the class a, no longer of b"


def test_a_record_with_another_form_is_refused(recorded):
    dataset, _, digests, path = recorded
    text = path.read_text()
    path.write_text(text.replace("picture,split", "file,split"))
    with pytest.raises(DataError) as caught:
        read_splits(path, dataset, digests)
    assert str(caught.value) == (
        f"expected: a CSV file with the columns picture, split, class, digest, reason\nfound: {path} has others\nto do: restore the file"
    )
    path.write_text(text.replace("set aside", "elsewhere"))
    with pytest.raises(DataError) as caught:
        read_splits(path, dataset, digests)
    assert str(caught.value) == (
        f"expected: one of the splits train, val, test, set aside\nfound: 'elsewhere' for a/bad.png in {path}\nto do: restore the file"
    )


def test_a_kill_while_writing_leaves_the_old_record(recorded, monkeypatch):
    dataset, splits, digests, path = recorded
    before = path.read_bytes()

    def kill(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr("neocog.files.os.fsync", kill)
    with pytest.raises(KeyboardInterrupt):
        write_splits(path, splits, dataset, digests)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir() if entry.suffix == ".part"] == []


def test_an_unreadable_picture_keeps_its_place_in_the_record(folder, tmp_path):
    files = {f"{c}/{n}.png": n + 50 * (c == "b") for c in "ab" for n in range(10)}
    dataset = open_dataset(folder(files))
    (dataset.root / "a" / "3.png").unlink()
    splits, digests = made(dataset)
    assert splits.set_aside == [("a/3.png", "missing: no file")]
    write_splits(tmp_path / "splits.csv", splits, dataset, digests)
    assert read_splits(tmp_path / "splits.csv", dataset, digests).set_aside == splits.set_aside
    assert isinstance(splits.set_aside[0], tuple)
    assert Fault("a/3.png", "missing", "no file") in survey(dataset).faults
