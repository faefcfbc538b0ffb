"""Clean and noisy pictures in pairs as a dataset; whatever has no partner is named."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from data.conftest import picture_bytes
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.data.splits import make_splits
from neocog.data.survey import survey
from neocog.errors import PictureError


def faults(dataset):
    return {fault.where: fault.reason for fault in survey(dataset).faults}


def pairs(folder, more=(), **named):
    return folder(
        {**{f"{kind}/{number}.png": number + shift for kind, shift in (("clean", 0), ("noisy", 50)) for number in range(3)}, **dict(more)},
        **named,
    )


def test_pairs_are_told_by_their_folders(folder):
    dataset = open_dataset(pairs(folder))
    assert dataset.task == "denoise"
    assert list(dataset.wheres()) == ["noisy/0.png", "noisy/1.png", "noisy/2.png"]
    assert dataset.notes[0] == "noisy pictures in noisy, clean ones beside them"
    target = dataset.target(1)
    assert target.disturbed
    assert not torch.equal(target.picture, dataset.picture(1))
    assert faults(dataset) == {}


def test_given_splits(folder):
    names = [f"{split}/{kind}/1.png" for split in ("train", "test") for kind in ("clean", "noisy")]
    dataset = open_dataset(folder({name: number for number, name in enumerate(names)}))
    assert dataset.given_splits() == ("train", "test")
    assert list(dataset.wheres()) == ["test/noisy/1.png", "train/noisy/1.png"]


def test_suffixes_may_differ(folder):
    dataset = open_dataset(folder({"Clean/a/1.jpg": picture_bytes(1, kind="JPEG"), "NOISY/a/1.png": 2}))
    assert dataset.partners[0] == "Clean/a/1.jpg"
    assert dataset.target(0).picture.shape == (3, 20, 24)


def test_classes_that_are_called_so_stay_classes(folder):
    assert open_dataset(folder({"clean/1.png": 1, "noisy/2.png": 2})).task == "classify"


def test_a_missing_partner_is_named_and_nothing_is_lost(folder):
    dataset = open_dataset(pairs(folder, {"noisy/lonely.png": 9, "clean/alone.png": 8}))
    reason = "partner: no partner of its name"
    assert faults(dataset) == {"noisy/lonely.png": reason, "clean/alone.png": reason}
    splits = make_splits(dataset, survey(dataset).digests, survey(dataset).faults, 0)
    assert dict(splits.set_aside) == faults(dataset)
    assert len(splits.train) + len(splits.val) + len(splits.test) == 3
    with pytest.raises(PictureError) as caught:
        dataset.target(3)
    assert str(caught.value) == (
        "expected: a clean and a noisy picture of each name\nfound: no partner of its name\nto do: add it, or take this one away"
    )


def test_a_partner_of_another_size_is_named(folder):
    dataset = open_dataset(pairs(folder, {"clean/1.png": picture_bytes(1, height=21)}))
    assert faults(dataset) == {"noisy/1.png": "partner: clean/1.png of 21x24 for a picture of 20x24"}
    with pytest.raises(PictureError) as caught:
        dataset.require_target(1, (20, 24))
    assert str(caught.value) == (
        "expected: a clean picture of the noisy one's size\n"
        "found: clean/1.png of 21x24 for a picture of 20x24\nto do: make them of one size"
    )


def test_a_damaged_partner_is_named(folder):
    dataset = open_dataset(pairs(folder, {"clean/0.png": picture_bytes(0)[:200], "clean/2.png": b""}))
    found = faults(dataset)
    assert set(found) == {"noisy/0.png", "noisy/2.png"}
    assert found["noisy/2.png"] == "partner: its clean picture clean/2.png: an empty file"
    assert "its clean picture clean/0.png: damaged or cut short" in found["noisy/0.png"]


def test_another_clean_picture_is_noticed(folder):
    root = pairs(folder)
    before = open_dataset(root)
    mark, fingerprint = before.target_mark(0), before.fingerprint()
    (root / "clean/0.png").write_bytes(picture_bytes(77))
    assert before.target_mark(0) != mark
    (root / "clean/0.png").write_bytes(picture_bytes(77, height=30))
    assert open_dataset(root).fingerprint() != fingerprint


def test_one_deep_partner_makes_both_deep(folder):
    deep = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 65536, (20, 24), dtype=np.uint16)).save(deep, "PNG")
    flat = io.BytesIO()
    Image.fromarray(np.zeros((20, 24), dtype=np.uint8)).save(flat, "PNG")
    dataset = open_dataset(folder({"clean/1.png": deep.getvalue(), "noisy/1.png": flat.getvalue()}))
    batch = Loader(dataset, None, 1).batch(torch.tensor([0]))
    assert batch.targets.pixels.dtype == torch.uint16
    assert batch.pixels.dtype == torch.float32
    assert batch.targets.disturbed
