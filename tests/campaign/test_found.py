"""What the campaign has found, each with its answer since."""

import csv
import errno
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from campaign.answers import refused
from neocog.data.cifar import read_batch
from neocog.data.files import read_file
from neocog.data.idx import IDX_FILES
from neocog.data.listing import list_pictures
from neocog.data.open import open_dataset
from neocog.data.pixels import gather
from neocog.data.splits import make_splits, read_splits, write_splits
from neocog.engine.plan import default_plan, plan_from_dict, read_plan
from neocog.engine.probe import remembered_plan
from neocog.errors import DataError, PictureError, RecipeError, RunError, SurroundingsError, UsageError, WeightsError
from neocog.models import read_state, write_weights
from neocog.recipe import read_recipe
from neocog.run import RunFolder
from neocog.training.checkpoint import State, latest, prune, read_checkpoint, write_checkpoint
from neocog.training.train import result_of

PREPROCESS = {"size": [2, 2], "resize": [2, 2], "channels": 1, "mean": [0.5], "std": [0.2], "interpolation": "bilinear"}
DEEP = "[" * 100_000
RESTORE = "restore it from a copy of the run"


def picture(number, channels=1):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (6, 5), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def photos(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            (tmp_path / "photos" / name / f"{number}.png").write_bytes(picture(number + 100 * (name == "dog")))
    return tmp_path / "photos"


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    return RunFolder(path)


# Tables


def table(folder, *rows):
    path = folder / "table.csv"
    path.write_text("\n".join(("path,label", *rows)) + "\n", encoding="utf-8")
    return path


def test_a_first_line_longer_than_any_field_is_no_table(photos):
    path = photos / "table.csv"
    path.write_text("path,label," + "x" * 200_000 + "\ncat/0.png,cat\n")
    expected, found = "a CSV file in UTF-8 with the columns path and label", f"{path} has not both"
    refused(DataError, lambda: open_dataset(path), expected, found, "name the columns in the first line")


def test_a_zero_byte_in_a_path_is_named(photos):
    path = table(photos, "cat/0.png,cat", "dog/\x000.png,dog")
    refused(DataError, lambda: open_dataset(path), "a path in every row", f"a zero byte in that of line 3 of {path}", "correct the line")


def test_labels_of_thousands_of_digits_are_texts(photos):
    names = open_dataset(table(photos, "cat/0.png," + "9" * 5000, "dog/0.png,10")).class_names
    assert names == ("10", "9" * 5000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.timeout(60)
def test_a_pipe_is_not_waited_for(photos):
    os.mkfifo(photos / "pipe.csv")
    os.mkfifo(photos / "pipe.png")
    assert open_dataset(photos).class_names == ("cat", "dog")
    listed = open_dataset(table(photos, "pipe.png,cat", "cat/0.png,cat", "dog/0.png,dog"))
    faults = gather(listed, canvas=(4, 4), channels=1).faults
    assert [(fault.where, fault.kind, fault.detail) for fault in faults] == [("pipe.png", "unreadable", "a pipe or a device")]
    refused(PictureError, lambda: read_file(photos / "pipe.png"), "a readable picture file", "a pipe or a device", "take it away")


# Folders


def test_folders_deeper_than_recursion_goes(photos):
    place = photos / "cat"
    for _ in range(1010):
        place = place / "d"
        place.mkdir()
    (place / "deep.png").write_bytes(picture(9))
    assert list_pictures(photos / "cat").files[-1] == "d/" * 1010 + "deep.png"
    while place != photos / "cat":  # pytest's own removal recurs
        for entry in place.iterdir():
            entry.unlink() if entry.is_file() else entry.rmdir()
        place = place.parent


def test_a_name_that_no_file_can_have_is_said_to_be_too_long():
    name = "a" * 5000
    refused(
        DataError,
        lambda: open_dataset(name),
        "a dataset that may be read",
        f"{name}: {os.strerror(errno.ENAMETOOLONG)}",
        "correct the path, or move what lies there",
    )


def test_a_name_like_that_of_an_account_is_a_name(tmp_path, monkeypatch, photos):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        open_dataset("~nobody-here")
    assert caught.value.found == "no ~nobody-here"
    photos.rename(tmp_path / "~nobody-here")
    assert len(open_dataset("~nobody-here")) == 12


def test_a_carriage_return_in_a_name_is_recorded(photos, tmp_path):
    (photos / "cat" / "0.png").rename(photos / "cat" / "a\rb.png")
    (photos / "dog").rename(photos / 'd\r"og')
    dataset = open_dataset(photos)
    digests = gather(dataset, canvas=(4, 4), channels=1).digests
    splits = make_splits(dataset, digests, [], seed=0)
    write_splits(tmp_path / "splits.csv", splits, dataset, digests)
    again = read_splits(tmp_path / "splits.csv", dataset, digests)
    assert all(torch.equal(splits.of(name), again.of(name)) for name in ("train", "val", "test"))


# Published files


def write_idx(folder, shape):
    place = folder / "MNIST" / "raw"
    place.mkdir(parents=True)
    images = struct.pack(">BBBBIII", 0, 0, 8, 3, *shape) + bytes(shape[0] * shape[1] * shape[2])
    labels = struct.pack(">BBBBI", 0, 0, 8, 1, shape[0]) + bytes(shape[0])
    for name, content in zip(IDX_FILES, (images, labels) * 2, strict=True):
        (place / name).write_bytes(content)
    return place / IDX_FILES[0]


@pytest.mark.parametrize(("shape", "words"), [((0, 28, 28), "0 by 28 by 28"), ((3, 0, 5), "3 by 0 by 5")])
def test_idx_files_without_a_pixel_are_refused(tmp_path, monkeypatch, shape, words):
    path = write_idx(tmp_path, shape)
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    refused(DataError, lambda: open_dataset("mnist"), "pictures with pixels", f"{path} holds {words} of them", "replace the file")


@pytest.mark.parametrize("code", [b"\x80\x02Nr\xff\xff\xff\x7f.", b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"."])
def test_a_pickle_cannot_ask_for_memory_that_it_does_not_fill(tmp_path, code):
    import tracemalloc

    path = tmp_path / "batch"
    path.write_bytes(code)
    tracemalloc.start()
    with pytest.raises(DataError):
        read_batch(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_a_batch_of_no_pictures_is_refused(tmp_path, monkeypatch):
    place = tmp_path / "cifar-10-batches-py"
    place.mkdir()
    empty = pickle.dumps({"data": np.zeros((0, 3072), dtype=np.uint8), "labels": []}, protocol=4)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (place / name).write_bytes(empty)
    (place / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a", "b"]}, protocol=2))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    expected = "pictures as rows of 3,072 unsigned bytes under the key data"
    refused(DataError, lambda: open_dataset("cifar10"), expected, f"{place / 'data_batch_1'} has none", "replace the file")


# Recipes and plans


@pytest.mark.parametrize("text", ["seed = " + "9" * 5000, "a = " + DEEP])
def test_toml_that_python_cannot_hold_is_no_recipe(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert caught.value.expected == "a recipe in TOML"
    assert caught.value.found.startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("learning_rate = " + "9" * 400, "a number for learning_rate"),
        (f'image_size = "{"9" * 5000}x3"', "a size HEIGHTxWIDTH for image_size"),
    ],
)
def test_numbers_beyond_all_bounds_are_named(tmp_path, line, expected):
    path = tmp_path / "recipe.toml"
    path.write_text(line)
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert caught.value.expected == f"{expected} of the recipe {path}"


@pytest.mark.parametrize(
    ("changed", "expected", "found"),
    [
        ({"threads": None}, "a whole number above 0 for threads", "None in the file"),
        ({"threads": 10**30}, "at most 4,096 threads", f"{10**30:,} in the file"),
        ({"machine": 5}, "a text for machine", "5 in the file"),
        ({"compiled": 1}, "true or false for compiled", "1 in the file"),
    ],
)
def test_a_plan_of_odd_values_is_refused(changed, expected, found):
    remedy = "mend the file, or leave it out and let the program choose"
    refused(RunError, lambda: plan_from_dict({**default_plan().to_dict(), **changed}, "the file"), expected, found, remedy)


def test_brackets_without_end_are_no_plan(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path))
    (tmp_path / "plans").mkdir()
    path = tmp_path / "plans" / "key.json"
    path.write_text(DEEP)
    with pytest.raises(RunError) as caught:
        read_plan(path)
    assert caught.value.expected == "a plan: a JSON file as a run's plan.json"
    assert remembered_plan("key") is None


# Runs


def test_a_quote_without_end_in_a_table_of_a_run_is_named(run, photos):
    (run.path / "metrics.csv").write_text('epoch,step\n1,"' + "2" * 200_000 + "\n")
    refused(RunError, run.metrics, "numbers in metrics.csv", f"{run.path / 'metrics.csv'}: field larger than field limit (131072)", RESTORE)
    path = run.path / "splits.csv"
    path.write_text('picture,split,class,digest,reason\ncat/0.png,"' + "2" * 200_000 + "\n")
    found = f"{path}, damaged: field larger than field limit ({csv.field_size_limit()})"
    refused(DataError, lambda: read_splits(path, open_dataset(photos), [b""] * 12), "a file of splits", found, "restore it from a copy")


def test_metrics_without_their_times_are_named(run):
    (run.path / "recipe.toml").write_text(
        'dataset = "digits"\ntask = "classify"\nmodel = "mlp"\nimage_size = "8x8"\nchannels = 1\nepochs = 1\nbatch_size = 8\n'
        "learning_rate = 0.1\nweight_decay = 0.0\n\n[augment]\n"
    )
    (run.path / "metrics.csv").write_text("epoch,step\n1,2\n")
    found = f"{run.path / 'metrics.csv'} without it"
    refused(RunError, lambda: result_of(run), "seconds of every epoch in metrics.csv", found, RESTORE)


def test_lines_of_the_log_that_are_damaged_are_left_out(run):
    log = run.path / "log.jsonl"
    log.write_bytes(b'{"event": "read", "step": "x"}\n{"event": "\xff", "step": 2}\n' + DEEP.encode() + b'\n{"event": "far", "step": 9}\n')
    assert [event["event"] for event in run.events()] == ["read", "\ufffd", "far"]
    run.cut_back(3, [])
    assert [event["event"] for event in run.events()] == ["read", "\ufffd"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(DEEP, "JSON in manifest.json"), ('{"metrics": {"val/loss": "x"}, "files": {}}', "numbers as metrics in manifest.json")],
)
def test_a_damaged_manifest_is_named(run, text, expected):
    (run.path / "manifest.json").write_text(text)
    with pytest.raises(RunError) as caught:
        run.manifest()
    assert (caught.value.expected, caught.value.remedy) == (expected, RESTORE)


# Checkpoints and weights


def test_files_that_a_person_put_beside_the_checkpoints_are_none(tmp_path):
    path = write_checkpoint(tmp_path, State(step=5), {"model": {"w": torch.zeros(2)}}, PREPROCESS)
    for name in ("step-mine.safetensors", "step-000000003 (copy).safetensors"):
        (tmp_path / name).write_bytes(b"mine")
    assert latest(tmp_path)[0].path == path
    prune(tmp_path, {}, 0)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_checkpoint_of_another_version_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("neocog.training.checkpoint.asdict", lambda state: {"step": 5, "rows": [], "of the future": 1})
    path = write_checkpoint(tmp_path, State(step=5), {"model": {"w": torch.zeros(2)}}, PREPROCESS)
    with pytest.raises(RunError) as caught:
        read_checkpoint(path)
    assert caught.value.expected == "a checkpoint of this version"
    assert caught.value.found.startswith(f"{path}, written by another (")
    assert caught.value.remedy == "resume with the version that wrote it"


def test_an_archive_whose_members_are_locked_is_damaged(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"w": torch.zeros(3)}, path)
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    while place >= 0:  # the flag of encryption, in every entry of the directory
        data[place + 8] |= 1
        place = data.find(b"PK\x01\x02", place + 1)
    path.write_bytes(data)
    with pytest.raises(RuntimeError, match="encrypted"), zipfile.ZipFile(path) as archive:
        archive.read(archive.namelist()[0])
    with pytest.raises(WeightsError) as caught:
        read_state(path)
    assert caught.value.expected == "a whole file of weights"


def test_a_name_of_an_architecture_that_is_no_text_is_damage(tmp_path):
    write_weights(tmp_path / "w.safetensors", {"w": torch.zeros(2)}, {"model": 5})
    found = f"{tmp_path / 'w.safetensors'}, damaged or cut short (an architecture whose name is no text)"
    refused(WeightsError, lambda: read_state(tmp_path / "w.safetensors"), "a whole file of weights", found, "copy or fetch the file again")


# The cache


@pytest.fixture
def cached(photos, tmp_path, monkeypatch):
    """The three files of a cache, by their suffixes."""
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="disk")
    return {path.suffix: path for path in (tmp_path / "cache" / "pixels").iterdir()}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 5000, b"../../x", b"0" * 32 + b"-12x1x4x4"])
def test_a_damaged_key_of_the_cache_costs_time_only(photos, cached, content):
    expected = gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="memory")
    cached[".key"].write_bytes(content)
    assert torch.equal(gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="disk").pixels, expected.pixels)


def test_digests_and_sizes_in_the_cache_are_guarded(photos, cached):
    """A wrong digest would make a resumed training say that a person's picture had changed."""
    expected = gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="memory")
    data = cached[".safetensors"].read_bytes()
    length = 8 + int.from_bytes(data[:8], "little")
    for place in range(length, len(data), 37):
        cached[".safetensors"].write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="disk")
        assert torch.equal(found.sizes, expected.sizes)
        assert list(found.digests) == list(expected.digests)


def test_a_cache_that_is_a_file_is_named(photos, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("mine")
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    refused(
        SurroundingsError,
        lambda: gather(open_dataset(photos), canvas=(4, 4), channels=1, keep="disk"),
        "room for decoded pictures",
        f"{tmp_path / 'cache' / 'pixels'}: {os.strerror(errno.ENOTDIR)}",
        "free some space, set NEOCOG_CACHE to a folder on another disk, or choose a smaller image size",
    )
    assert json.dumps((tmp_path / "cache").read_text()) == '"mine"'
