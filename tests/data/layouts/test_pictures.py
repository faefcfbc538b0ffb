"""A folder of clean pictures as a dataset."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.errors import DataError
from neocog.targets import Cleans


def grey(number, depth=8, size=(9, 7)):
    """The bytes of a grey picture."""
    pixels = np.random.default_rng(number).integers(0, 2**depth, size)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8 if depth == 8 else np.uint16)).save(file, "PNG")
    return file.getvalue()


def test_any_folder_where_the_task_is_named(folder):
    root = folder({"1.png": 1, "trip/day/2.png": 2, "notes.txt": b"words"})
    dataset = open_dataset(root, "denoise")
    assert dataset.task == "denoise"
    assert list(dataset.wheres()) == ["1.png", "trip/day/2.png"]
    assert dataset.given_splits() == ()
    assert dataset.class_names == ()
    assert dataset.channels == 3
    assert dataset.notes[0] == "a folder of clean pictures"
    assert "left out, not pictures: 1 .txt (notes.txt)" in dataset.notes
    target = dataset.target(0)
    assert not target.disturbed
    assert torch.equal(target.picture, dataset.picture(0))


def test_it_is_not_told_unasked(two_classes, folder):
    assert open_dataset(two_classes).task == "classify"
    with pytest.raises(DataError, match="a layout that is known"):
        open_dataset(folder({"1.png": 1}, "loose"))


def test_given_splits(folder):
    root = folder({"train/a/1.png": 1, "train/2.png": 2, "valid/3.png": 3, "test/4.png": 4})
    dataset = open_dataset(root, "denoise")
    assert [dataset.given_split(index) for index in range(4)] == ["test", "train", "train", "val"]
    assert dataset.notes[0] == "clean pictures in test, train, valid"


def test_pictures_beside_the_splits_make_one_pool(folder):
    for beside in ("5.png", "other/5.png"):
        dataset = open_dataset(folder({"train/1.png": 1, beside: 2}, beside.replace("/", "-")), "denoise")
        assert dataset.given_splits() == ()
        assert len(dataset) == 2


def test_a_split_alone_has_the_name_above_it_too(folder):
    root = folder({"train/1.png": 1})
    assert open_dataset(root / "train", "denoise").name == "photos-train"
    assert open_dataset(root, "denoise").name == "photos"


def test_grey_pictures_stay_grey_and_deep_ones_deep(folder):
    dataset = open_dataset(folder({"1.png": grey(1), "2.png": grey(2, depth=16)}), "denoise")
    assert dataset.channels == 1
    assert dataset.target(0).picture.dtype == torch.uint8
    assert dataset.target(1).picture.dtype == torch.uint16
    assert dataset.picture(1).dtype == torch.uint8  # unless 16 bits are asked for


def test_deep_pictures_keep_every_bit_on_their_way_into_a_batch(folder):
    dataset = open_dataset(folder({"1.png": grey(1, depth=16)}), "denoise")
    batch = Loader(dataset, None, 1).batch(torch.tensor([0]))
    assert isinstance(batch.targets, Cleans)
    assert batch.targets.pixels.dtype == torch.uint16
    assert torch.equal((batch.pixels * 65535).round().to(torch.int64), batch.targets.pixels.to(torch.int64))
    mixed = open_dataset(folder({"1.png": grey(1), "2.png": grey(2, depth=16)}, "mixed"), "denoise")
    batch = Loader(mixed, None, 1).batch(torch.tensor([0, 1]))
    assert batch.targets.pixels.dtype == torch.uint16
    assert torch.equal(batch.targets.pixels[0].int(), mixed.picture(0).int() * 257)


def test_a_clean_picture_is_kept_once(folder):
    dataset = open_dataset(folder({"1.png": 1}), "denoise")
    loader = Loader(dataset, None, 3)
    loader.batch(torch.tensor([0]))
    (sample,) = loader._kept.values()
    assert sample.target.picture is sample.picture


def test_pictures_are_counted_round(folder):
    dataset = open_dataset(folder({"1.png": 1, "2.png": 2}), "denoise")
    batch = Loader(dataset, None, 3).batch(torch.tensor([1, 3, 4]))
    assert batch.keys.tolist() == [1, 3, 4]
    assert torch.equal(batch.pixels[0], batch.pixels[1])
    assert torch.equal(batch.pixels[2], dataset.picture(0))
