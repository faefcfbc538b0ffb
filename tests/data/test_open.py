"""How a dataset is found by its name or by its layout, and what is said when it is not."""

import os

import pytest

from neocog.data.dataset import SPLITS
from neocog.data.open import open_dataset
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.errors import DataError, RecipeError, SurroundingsError, UsageError


def test_every_registered_set_and_layout_says_what_it_is():
    assert set(DATASETS.names()) >= {"digits", "shapes", "mnist", "fashion-mnist", "cifar10", "cifar100", "imagenet"}
    for name in DATASETS:
        entry = DATASETS[name]
        assert entry.name == name
        assert entry.summary
        assert entry.licence
        assert entry.tasks
    for name in LAYOUTS:
        assert LAYOUTS[name].name == name
        assert LAYOUTS[name].summary
    assert len({LAYOUTS[name].order for name in LAYOUTS}) == len(LAYOUTS)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(UsageError) as caught:
        open_dataset(str(tmp_path / "nothing"))
    names = ", ".join(DATASETS.names())
    assert str(caught.value) == (
        f"expected: the name of a dataset, a folder or a CSV file\nfound: no {tmp_path / 'nothing'}\n"
        f"to do: correct the path, or choose one of {names}"
    )


@pytest.mark.parametrize(("wrong", "right"), [("mnits", "mnist"), ("cifar", "cifar10"), ("fashion_mnist", "fashion-mnist")])
def test_a_misspelt_name_is_answered_with_the_near_one(wrong, right, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        open_dataset(wrong)
    assert caught.value.remedy.startswith("did you mean")
    assert right in caught.value.remedy


def test_a_misspelt_folder_is_answered_with_the_near_one(folder):
    root = folder({"a/1.png": 1, "b/1.png": 2}, "flowers")
    with pytest.raises(UsageError, match="did you mean flowers"):
        open_dataset(root.parent / "flower")


def test_an_unknown_task(two_classes):
    with pytest.raises(UsageError) as caught:
        open_dataset(two_classes, task="classifier")
    assert str(caught.value) == "expected: the name of a task\nfound: 'classifier'\nto do: did you mean classify?"


def test_a_task_that_a_named_set_has_not():
    with pytest.raises(UsageError) as caught:
        open_dataset("digits", task="detect")
    assert str(caught.value) == "expected: a task that digits has targets for\nfound: detect\nto do: choose classify"


def test_an_option_that_there_is_not(two_classes):
    with pytest.raises(UsageError) as caught:
        open_dataset("shapes", cuont=3)
    assert str(caught.value) == "expected: an option of the dataset shapes\nfound: 'cuont'\nto do: did you mean count?"
    with pytest.raises(UsageError) as caught:
        open_dataset("digits", size=3)
    assert (
        str(caught.value)
        == "expected: an option of the dataset digits\nfound: 'size'\nto do: leave it out: the dataset digits has no options"
    )
    with pytest.raises(UsageError, match="an option of the layout 'class folders'"):
        open_dataset(two_classes, size=3)


def test_a_value_that_an_option_does_not_admit():
    with pytest.raises(RecipeError) as caught:
        open_dataset("shapes", count="3")
    assert (
        str(caught.value)
        == "expected: a whole number for count of the dataset shapes\nfound: '3'\nto do: give a value of that kind, as 2000"
    )


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path)
    assert str(caught.value) == f"expected: a folder with pictures\nfound: {tmp_path} is empty\nto do: put pictures into it"


def test_pictures_without_class_folders(folder):
    root = folder({"1.png": 1, "2.png": 2, "notes.txt": b"x"})
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    assert caught.value.expected == "a layout that is known"
    assert caught.value.found == f"{root} with 2 pictures, 1 other files and 0 folders directly in it"
    for name in LAYOUTS:
        assert f"{name}: {LAYOUTS[name].summary}" in caught.value.remedy


def test_a_file_that_is_no_table(folder):
    root = folder({"1.png": 1})
    with pytest.raises(DataError, match=r"the file .*1\.png"):
        open_dataset(root / "1.png")


def test_a_task_without_a_layout(two_classes):
    with pytest.raises(UsageError) as caught:
        open_dataset(two_classes, task="detect")
    assert str(caught.value) == (
        f"expected: a dataset with targets for detect\nfound: {two_classes}: no layout of files is known for detect\n"
        "to do: use one of the datasets shapes"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(two_classes):
    (two_classes / "cat").chmod(0)
    try:
        with pytest.raises(DataError, match="a dataset that may be read"):
            open_dataset(two_classes)
    finally:
        (two_classes / "cat").chmod(0o755)


def test_a_permission_fault_while_listing_is_named(two_classes, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("neocog.data.listing.os.scandir", refuse)
    with pytest.raises(DataError) as caught:
        open_dataset(two_classes)
    assert str(caught.value) == (f"expected: a dataset that may be read\nfound: {two_classes}: Permission denied\nto do: allow reading it")


def test_a_name_goes_before_a_folder_of_that_name(folder, monkeypatch):
    root = folder({"cat/1.png": 1, "dog/1.png": 2}, "digits")
    monkeypatch.chdir(root.parent)
    assert len(open_dataset("digits")) == 1797
    assert open_dataset("./digits").class_names == ("cat", "dog")
    assert open_dataset(root).name == "digits"


@pytest.mark.parametrize(
    ("name", "place", "command"),
    [
        ("mnist", "MNIST/raw", "neocog fetch mnist, or put train-images-idx3-ubyte.gz "),
        ("fashion-mnist", "FashionMNIST/raw", "neocog fetch fashion-mnist, or put train-images-idx3-ubyte.gz "),
        ("cifar10", "cifar-10-batches-py", "neocog fetch cifar10, or put what cifar-10-python.tar.gz contains "),
        ("cifar100", "cifar-100-python", "neocog fetch cifar100, or put what cifar-100-python.tar.gz contains "),
        ("imagenet", "imagenet", "put train/ and val/, each with a folder per WordNet id, "),
    ],
)
def test_a_named_set_whose_files_are_missing(name, place, command, tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    with pytest.raises(SurroundingsError) as caught:
        open_dataset(name)
    assert caught.value.expected == f"the files of {name}"
    assert caught.value.found.startswith(f"none in {tmp_path / place}, {tmp_path}")
    assert caught.value.remedy.startswith(command)
    assert caught.value.remedy.endswith(f"into {tmp_path / place} by hand, or set NEOCOG_DATA to the folder that has {place}")


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "count"), [("mnist", 70_000), ("fashion-mnist", 70_000), ("cifar10", 60_000)])
def test_published_sets(name, count, real_data):
    dataset = open_dataset(name)
    assert len(dataset) == count
    assert dataset.given_splits() == ("train", "test")
    assert dataset.class_indices().bincount().tolist() == [count // 10] * 10 or name == "mnist"
    assert len(dataset.class_names) == 10
    assert dataset.where(17) == "train[17]"
    assert dataset.where(count - 1) == "test[9999]"
    assert {dataset.given_split(0), dataset.given_split(count - 1)} <= set(SPLITS)


@pytest.mark.realdata
def test_photos(real_data):
    dataset = open_dataset(real_data / "hymenoptera")
    assert (len(dataset), dataset.class_names) == (397, ("ants", "bees"))
    assert dataset.given_splits() == ("train", "val")
    assert dataset.channels == 3
    assert min(dataset.typical_size) > 200


@pytest.mark.realdata
def test_photos_by_wordnet_id(real_data):
    dataset = open_dataset(real_data / "imagenet-sample", class_names={"n01440764": "tench"})
    assert len(dataset) == len(dataset.class_names) == 334
    assert dataset.class_ids[0] == "n01440764"
    assert dataset.class_names[0] == "tench"
    assert dataset.class_names[1] == dataset.class_ids[1]
