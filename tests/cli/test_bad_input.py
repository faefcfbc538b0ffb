"""What people may hand in that is no good: each has a named answer and an exit code, and no file of theirs changes."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cli.folders import TRAINING, hashes, picture, saved

EXIF_ORIENTATION = 0x0112


@pytest.fixture
def train(tell, tmp_path):
    """Train on a folder, and prove that the folder is as before."""

    def call(data, *arguments):
        before = hashes(data)
        told = tell("train", data, "--out", tmp_path / "run", *TRAINING, *arguments, "--json")
        assert hashes(data) == before
        return told

    return call


def bomb(side=30_000):
    """A PNG file whose header claims a huge size, with next to no data."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def rotated():
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    return saved(picture(150), "JPEG", exif=exif)


def deep():
    return saved(Image.fromarray(np.random.default_rng(0).integers(0, 65536, (20, 24), dtype=np.uint16)))


# Data


@pytest.mark.parametrize("command", ["train", "data"])
def test_a_path_that_is_not_there(command, refused, tmp_path):
    (tmp_path / "photos").mkdir()
    path = tmp_path / "photso"
    refused([command, path], 2, "the name of a dataset, a folder or a CSV file", f"no {path}", "did you mean photos?")
    assert not path.exists()


@pytest.mark.parametrize("command", ["train", "data"])
def test_an_empty_folder(command, refused, tmp_path, monkeypatch):
    data = tmp_path / "photos"
    data.mkdir()
    monkeypatch.chdir(tmp_path)
    refused([command, data], 3, "a folder with pictures", f"{data} is empty", "put pictures into it")
    assert list(tmp_path.iterdir()) == [data]  # no run folder is left behind


def test_empty_class_folders(refused, tmp_path):
    data = tmp_path / "photos"
    for name in ("cat", "dog"):
        (data / name).mkdir(parents=True)
    refused(
        ["train", data, "--out", tmp_path / "run"],
        *(3, "pictures in class folders", f"none below {data}", "put the pictures of each class into a folder of its own"),
    )


def test_one_class_only(refused, tell, tmp_path):
    data = tmp_path / "photos"
    (data / "cat").mkdir(parents=True)
    for number in range(6):
        (data / "cat" / f"{number}.png").write_bytes(saved(picture(number)))
    before = hashes(data)
    refused(
        ["train", data, "--out", tmp_path / "run", *TRAINING],
        *(3, "at least two classes", f"only cat in {data}", "add pictures of another class"),
    )
    told = tell("data", data)
    assert told.exit_code == 3
    assert f"training would refuse: expected at least two classes, found only cat in {data}" in told.out
    assert hashes(data) == before


def test_files_that_are_no_pictures_are_named_and_set_aside(train, tell, photos):
    whole = saved(picture(1))
    data = photos({"cat/empty.png": b"", "dog/cut.png": whole[: len(whole) // 2], "dog/text.jpg": b"a letter", "cat/bomb.png": bomb()})
    faults = {
        "cat/bomb.png": "bomb: 30,000 by 30,000 pixels, which may be a decompression bomb",
        "cat/empty.png": "empty: an empty file",
        "dog/cut.png": "damaged or cut short (image file is truncated)",
        "dog/text.jpg": "foreign: a file of another kind",
    }
    told = train(data)
    assert told.exit_code == 0, told.err
    said = told.err.splitlines()
    assert "photos: 16 to train on, 2 to validate, 2 to test; 4 set aside" in said
    for where, reason in faults.items():
        assert f"set aside: {where}: {reason}" in said
    told = tell("data", data, "--json")
    assert told.exit_code == 0
    assert {fault["where"]: fault["kind"] for fault in told.answer["faults"]} == {
        "cat/bomb.png": "bomb",
        "cat/empty.png": "empty",
        "dog/cut.png": "damaged",
        "dog/text.jpg": "foreign",
    }


def test_unusual_pictures_are_used_and_noted(train, tell, photos):
    kinds = {
        "cat/cmyk.jpg": ("cmyk", saved(picture(50).convert("CMYK"), "JPEG")),
        "cat/moves.gif": ("animated", saved(picture(51), "GIF", save_all=True, append_images=[picture(52)])),
        "cat/point.png": ("1x1", saved(picture(53, 1, 1))),
        "dog/deep.png": ("16 bit", deep()),
        "dog/turned.jpg": ("rotated", rotated()),
        "dog/really-png.jpg": ("suffix", saved(picture(151))),
    }
    data = photos({path: content for path, (_, content) in kinds.items()})
    told = train(data)
    assert told.exit_code == 0, told.err
    assert "photos: 22 to train on, 2 to validate, 2 to test" in told.err.splitlines()  # none of them is set aside
    noted = next(line for line in told.err.splitlines() if line.startswith("note: "))
    assert all(f"{kind} (1)" in noted for kind, _ in kinds.values())
    answer = tell("data", data, "--json").answer
    assert {note["where"]: note["kind"] for note in answer["notes"]} == {path: kind for path, (kind, _) in kinds.items()}
    assert answer["faults"] == []
    assert tell("predict", data.parent / "run", *(data / path for path in kinds), "--json").exit_code == 0


def test_too_many_unreadable_files_stop_a_training_unless_allowed(refused, train, photos, tmp_path):
    data = photos({f"cat/bad-{number}.png": b"" for number in range(10)})
    refused(
        ["train", data, "--out", tmp_path / "none", *TRAINING],
        *(3, "at most 1% of the pictures unreadable", "10 of 30, the first of them cat/bad-0.png (an empty file)"),
        "repair them or take them away, or go on without them by --allow-bad",
    )
    assert train(data, "--allow-bad").exit_code == 0


def test_a_class_without_a_readable_picture(refused, photos, tmp_path):
    data = photos({"bee/1.png": b""})
    refused(
        ["train", data, "--out", tmp_path / "run", *TRAINING],
        *(3, "a readable picture in every class", "none is left of bee; bee/1.png: an empty file"),
        "replace its pictures, or take the class away",
    )


def given_splits(data, splits):
    for split, classes in splits.items():
        for name, numbers in classes.items():
            for number in numbers:
                path = data / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(saved(picture(number)))
    return data


def test_a_class_that_is_missing_in_val_is_noted(train, tell, tmp_path):
    splits = {"train": {"cat": range(8), "dog": range(100, 108)}, "val": {"cat": range(20, 23)}}
    data = given_splits(tmp_path / "photos", splits)
    note = "no picture in val of 1 of 2 classes: dog"
    told = train(data)
    assert told.exit_code == 0, told.err
    assert f"note: {note}" in told.err.splitlines()
    assert note in tell("data", data, "--json").answer["remarks"]


def test_a_class_that_is_missing_in_train(refused, tmp_path):
    splits = {"train": {"cat": range(8), "bee": range(30, 38)}, "val": {"cat": range(20, 23), "dog": range(100, 103)}}
    data = given_splits(tmp_path / "photos", splits)
    refused(
        ["train", data, "--out", tmp_path / "run", *TRAINING],
        *(3, "every class among the training pictures", "dog only in val", "add pictures of dog to train, or take them away"),
    )


# Recipes


def test_a_recipe_with_an_unknown_key(refused, photos, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'dataset = "{photos()}"\nepoch = 3\n')
    before = hashes(tmp_path)
    refused(["train", "--recipe", file], 2, f"a key of the recipe {file}", "'epoch'", "did you mean epochs?")
    file.write_text(f'dataset = "{photos()}"\n[model]\nname = "mlp"\nwidth = [8]\n')
    refused(["train", "--recipe", file, "--out", tmp_path / "run"], 2, "an option of the model mlp", "'width'", "did you mean widths?")
    file.write_text(f'dataset = "{photos()}"\nepoch = 3\n')
    assert {path: digest for path, digest in hashes(tmp_path).items() if not path.startswith("run")} == before


@pytest.mark.parametrize(
    ("text", "found"),
    [("epochs = ", "{file}: Invalid value"), (None, "{file}: No such file or directory")],
)
def test_a_recipe_that_cannot_be_read(text, found, tell, tmp_path):
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_text(text)
    told = tell("train", "--recipe", file)
    assert told.exit_code == 2
    assert told.err.splitlines()[1].startswith("found " + found.format(file=file))
    assert len(told.err.splitlines()) == 3


# Run folders
