"""Class folders, WordNet folders and what lies about in them."""

import os
import sys

import pytest

from neocog.data.listing import entries, is_ignored, list_pictures
from neocog.data.open import open_dataset
from neocog.errors import DataError
from neocog.targets import Label


def test_one_pool(folder):
    root = folder({"dog/2.png": 1, "cat/b.jpg": 2, "cat/a.png": 3})
    dataset = open_dataset(root)
    assert dataset.task == "classify"
    assert dataset.class_names == ("cat", "dog")
    assert list(dataset.wheres()) == ["cat/a.png", "cat/b.jpg", "dog/2.png"]
    assert [dataset.target(i) for i in range(3)] == [Label(0), Label(0), Label(1)]
    assert dataset.given_splits() == ()
    assert dataset.class_ids == ()
    assert dataset.notes == ("class folders",)
    assert dataset.name == "photos"


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "val"), ("train", "val")),
        (("train", "valid", "test"), ("train", "val", "test")),
        (("Train", "Validation"), ("train", "val")),
        (("test",), ("test",)),
    ],
)
def test_given_splits(folder, names, splits):
    root = folder({f"{split}/{name}/{split}.png": number for number, split in enumerate(names) for name in ("a", "b")})
    dataset = open_dataset(root)
    assert dataset.given_splits() == splits
    for index in range(len(dataset)):
        assert dataset.where(index).split("/")[0].lower().startswith(dataset.given_split(index)[:3])
        assert dataset.class_names[dataset.target(index).index] == dataset.where(index).split("/")[1]


def test_pictures_deep_below_a_class_belong_to_it(folder):
    dataset = open_dataset(folder({"cat/2019/may/1.png": 1, "cat/2.png": 2, "dog/x/1.png": 3}))
    assert list(dataset.wheres()) == ["cat/2.png", "cat/2019/may/1.png", "dog/x/1.png"]
    assert dataset.class_names == ("cat", "dog")


def test_what_is_left_out_is_counted_and_named(folder):
    root = folder(
        {
            "cat/1.png": 1,
            "cat/notes.txt": b"x",
            "cat/more.txt": b"x",
            "cat/README": b"x",
            "cat/data.csv": b"x",
            "dog/1.PNG": 2,
            "outside.png": 3,
            ".hidden/1.png": 4,
            "cat/.1.png": 5,
            "__MACOSX/cat/1.png": 6,
            "dog/Thumbs.db": b"x",
        }
    )
    dataset = open_dataset(root)
    assert list(dataset.wheres()) == ["cat/1.png", "dog/1.PNG"]
    assert dataset.notes == (
        "class folders",
        "left out, not pictures: 2 .txt, 1 no suffix, 1 .csv (cat/README, cat/data.csv, cat/more.txt, …)",
        "left out, outside class folders: 1 (outside.png)",
    )


def test_what_lies_beside_the_splits_is_named(folder):
    dataset = open_dataset(folder({"train/a/1.png": 1, "train/b/1.png": 2, "labels.txt": b"x", "extra/1.png": 3, "train/loose.png": 4}))
    assert dataset.notes == (
        "class folders in train",
        "left out, outside class folders: 1 (train/loose.png)",
        "left out, beside the splits (extra/, labels.txt)",
    )


@pytest.mark.parametrize(
    ("files", "classes", "splits"),
    [
        (("bus/1.png", "car/1.png", "train/1.png"), ("bus", "car", "train"), ()),
        (("bus/new/1.png", "train/new/1.png", "train/old/1.png"), ("bus", "train"), ()),
        (("bus/1.png", "test/1.png", "train/1.png"), ("bus", "test", "train"), ()),
        (("train/cat/1.png", "train/dog/1.png", "unsorted/1.png"), ("cat", "dog"), ("train",)),
        (("train/cat/1.png", "val/cat/1.png", "more/cat/1.png"), ("cat",), ("train", "val")),
        (("train/cat/1.png", "docs/readme/1.txt"), ("cat",), ("train",)),
    ],
)
def test_classes_that_are_called_as_splits_are(files, classes, splits, folder):
    dataset = open_dataset(folder({name: number for number, name in enumerate(files)}))
    assert dataset.class_names == classes
    assert dataset.given_splits() == splits
    told = [note for note in dataset.notes if "is a class" in note]
    called = [name for name in classes if name in ("train", "test")]
    assert told == [f"{name}/ is a class: other folders beside it hold pictures too" for name in called]


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_names_that_are_not_utf_8(folder):
    root = folder({"caf\udce9/1.png": 1, "tea/na\udcefve.png": 2}, "m\udcfcll")
    dataset = open_dataset(root)
    assert (dataset.name, dataset.class_names) == (r"m\xfcll", (r"caf\xe9", "tea"))
    assert list(dataset.wheres()) == ["caf\udce9/1.png", "tea/na\udcefve.png"]
    assert dataset.picture(1).shape == (3, 20, 24)
    assert len(dataset.fingerprint()) == 32


@pytest.mark.parametrize("name", [".git", "__MACOSX", "Thumbs.db", "thumbs.db", "desktop.ini", "@eaDir", ".DS_Store"])
def test_what_the_system_leaves_behind_is_ignored(name):
    assert is_ignored(name)


def test_a_class_without_a_picture(folder):
    root = folder({"cat/1.png": 1, "dog/notes.txt": b"x"})
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    assert str(caught.value) == (
        f"expected: pictures in every class folder\nfound: none for dog in {root}\nto do: put pictures in, or take the folder away"
    )


def test_no_picture_in_any_class_folder(folder):
    root = folder({"cat/notes.txt": b"x", "dog/notes.txt": b"x"})
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    assert str(caught.value) == (
        f"expected: pictures in class folders\nfound: none below {root}\nto do: put the pictures of each class into a folder of its own"
    )


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_that_lead_back_do_not_hang(folder):
    root = folder({"cat/1.png": 1, "dog/1.png": 2})
    (root / "cat" / "again").symlink_to(root / "cat")
    (root / "cat" / "deep").mkdir()
    (root / "cat" / "deep" / "up").symlink_to(root)
    (root / "dog" / "self").symlink_to(root / "dog" / "self")
    dataset = open_dataset(root)
    assert [where for where in dataset.wheres() if where.count("/") == 1] == ["cat/1.png", "dog/1.png"]
    assert any("links to a folder already read: cat/again" in note for note in dataset.notes)
    assert len(dataset) < 10


@pytest.mark.skipif(os.name == "nt", reason="no pipes there")
def test_a_pipe_is_never_read(folder):
    root = folder({"cat/1.png": 1, "dog/1.png": 2})
    os.mkfifo(root / "cat" / "pipe.png")
    assert list(open_dataset(root).wheres()) == ["cat/1.png", "dog/1.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_linked_folder_is_followed_and_a_broken_link_is_a_fault(folder, tmp_path):
    root = folder({"cat/1.png": 1, "dog/1.png": 2})
    other = folder({"2.png": 3}, "elsewhere")
    (root / "cat" / "more").symlink_to(other)
    (root / "dog" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert list(open_dataset(root).wheres()) == ["cat/1.png", "cat/more/2.png", "dog/1.png", "dog/gone.png"]


def test_listing_is_sorted_whatever_the_disk_says(folder):
    root = folder({f"{name}.png": number for number, name in enumerate("zebra")})
    assert list_pictures(root).files == sorted(list_pictures(root).files)
    assert entries(root) == ([], ["a.png", "b.png", "e.png", "r.png", "z.png"])


def test_wordnet_folders(folder):
    root = folder({"train/n01443537/1.png": 1, "train/n01440764/1.png": 2, "val/n01440764/2.png": 3})
    dataset = open_dataset(root)
    assert dataset.class_ids == dataset.class_names == ("n01440764", "n01443537")
    assert dataset.notes == ("folders of WordNet ids in train, val",)
    named = open_dataset(root, class_names={"n01440764": "tench"})
    assert named.class_ids == ("n01440764", "n01443537")
    assert named.class_names == ("tench", "n01443537")


def test_imagenet_by_name(folder, monkeypatch):
    base = folder({"imagenet/train/n01440764/1.png": 1, "imagenet/val/n01440764/2.png": 2}, "data")
    monkeypatch.setenv("NEOCOG_DATA", str(base))
    dataset = open_dataset("imagenet", class_names={"n01440764": "tench"})
    assert dataset.name == "imagenet"
    assert dataset.class_names == ("tench",)
    assert dataset.licence.startswith("non-commercial research")
    assert dataset.given_splits() == ("train", "val")


def test_fingerprint_follows_the_files(folder):
    root = folder({"cat/1.png": 1, "dog/1.png": 2})
    before = open_dataset(root).fingerprint()
    assert open_dataset(root).fingerprint() == before
    (root / "cat" / "1.png").rename(root / "cat" / "2.png")
    assert open_dataset(root).fingerprint() != before


def test_channels_and_size_are_those_of_the_files(folder):
    import io

    from PIL import Image

    def grey(height, width):
        file = io.BytesIO()
        Image.new("L", (width, height)).save(file, "PNG")
        return file.getvalue()

    root = folder({"a/1.png": grey(10, 30), "a/2.png": grey(20, 40), "b/1.png": grey(30, 20), "b/2.png": b"broken"})
    dataset = open_dataset(root)
    assert dataset.channels == 1
    assert dataset.typical_size == (20, 30)
    assert dataset.picture(0).shape == (1, 10, 30)
    (root / "a" / "3.png").write_bytes((root / "a" / "1.png").read_bytes())
    (root / "a" / "4.jpg").write_bytes(_colour())
    assert open_dataset(root).channels == 3


def _colour():
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (5, 5)).save(file, "JPEG")
    return file.getvalue()
