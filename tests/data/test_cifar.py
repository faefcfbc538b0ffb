"""CIFAR's pickles: as published, as newer versions write them, and those that want to run something."""

import io
import pickle
import pickletools
import struct

import numpy as np
import pytest
import torch

from neocog.data.cifar import read_batch
from neocog.data.open import open_dataset
from neocog.errors import DataError, UsageError

NAMES = [f"class {number}" for number in range(10)]


def published(batch):
    """A batch as Python 2 and NumPy 1 pickled it: byte strings, protocol 2, numpy.core."""
    out = io.BytesIO()
    out.write(b"\x80\x02")

    def write(value):
        if isinstance(value, dict):
            out.write(b"}(")
            for key, item in value.items():
                write(key)
                write(item)
            out.write(b"u")
        elif isinstance(value, list):
            out.write(b"](")
            for item in value:
                write(item)
            out.write(b"e")
        elif isinstance(value, str):
            out.write(b"U" + bytes([len(value)]) + value.encode("latin1"))
        elif isinstance(value, int):
            out.write(b"J" + struct.pack("<i", value))
        else:
            array(value)

    def array(value):
        out.write(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01")
        write(value.shape[0])
        write(value.shape[1])
        out.write(b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89")
        out.write(b"T" + struct.pack("<i", value.nbytes) + value.tobytes() + b"tb")

    write(batch)
    out.write(b".")
    return out.getvalue()


def batch(count=4, seed=0, key="labels", classes=10):
    rng = np.random.default_rng(seed)
    return {"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8), key: [int(x) for x in rng.integers(0, classes, count)]}


def as_bytes(content):
    return {key.encode(): value for key, value in content.items()}


WRITERS = {
    "python 2": published,
    **{f"protocol {number}": lambda content, number=number: pickle.dumps(content, protocol=number) for number in range(6)},
    "bytes as keys": lambda content: pickle.dumps(as_bytes(content), protocol=2),
    "numpy 1": lambda content: pickle.dumps(content, protocol=2).replace(b"numpy._core", b"numpy.core"),
}


def write(base, place, files):
    folder = base / place
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def cifar10_files(dump, **changed):
    files = {f"data_batch_{number}": dump(batch(seed=number)) for number in range(1, 6)}
    return files | {"test_batch": dump(batch(3, seed=6)), "batches.meta": dump({"label_names": NAMES, "num_vis": 3072})} | changed


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("place", ["cifar-10-batches-py", "cifar10"])
def test_cifar10_whoever_wrote_it(writer, place, tmp_path, monkeypatch):
    folder = write(tmp_path, place, cifar10_files(WRITERS[writer]))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    dataset = open_dataset("cifar10")
    assert dataset.root == folder
    assert dataset.class_names == tuple(NAMES)
    assert len(dataset) == 23
    assert dataset.given_split(19) == "train"
    assert dataset.given_split(20) == "test"
    expected = np.concatenate([batch(seed=number)["data"] for number in range(1, 6)] + [batch(3, seed=6)["data"]])
    assert torch.equal(dataset.pixels, torch.from_numpy(expected.reshape(-1, 3, 32, 32)))
    assert dataset.labels[20:].tolist() == batch(3, seed=6)["labels"]
    assert type(dataset.pixels.numpy()) is np.ndarray


@pytest.mark.parametrize(("labels", "count"), [("fine", 100), ("coarse", 20)])
def test_cifar100(labels, count, tmp_path, monkeypatch):
    def content(size, seed):
        return published(batch(size, seed, "fine_labels", 100) | {"coarse_labels": batch(size, seed + 9, "x", 20)["x"]})

    meta = {"fine_label_names": [f"f{i}" for i in range(100)], "coarse_label_names": [f"c{i}" for i in range(20)]}
    write(tmp_path, "cifar-100-python", {"train": content(5, 0), "test": content(2, 1), "meta": published(meta)})
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    dataset = open_dataset("cifar100", labels=labels)
    assert len(dataset.class_names) == count
    expected = batch(2, 1, "k", 100)["k"] if labels == "fine" else batch(2, 10, "k", 20)["k"]
    assert dataset.labels[5:].tolist() == expected


def test_cifar100_with_other_labels():
    with pytest.raises(UsageError) as caught:
        open_dataset("cifar100", labels="medium")
    assert (
        str(caught.value)
        == "expected: 'fine' or 'coarse' for labels of the dataset cifar100\nfound: 'medium'\nto do: choose one of fine, coarse"
    )


class Runs:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def os_system():
    import os

    return os.system


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (lambda: pickle.dumps({"data": Runs(os_system(), "touch never")}), "posix.system"),
        (lambda: pickle.dumps({"data": Runs(eval, "1 + 1")}), "builtins.eval"),
        (lambda: b"cbuiltins\ngetattr\n(cos\npath\nVjoin\ntR.", "builtins.getattr"),
        (lambda: b"cnumpy\nload\n(Vx.npy\ntR.", "numpy.load"),
        (lambda: pickle.dumps({"data": np.array([Runs(print, "x")], dtype=object)}, protocol=2), "numbers of the kind O8"),
        (lambda: pickle.dumps({"data": np.array([1, "a"], dtype=object)}, protocol=2), "numbers of the kind O8"),
        (lambda: b"c_codecs\nencode\n(Vx\nVrot13\ntR.", "the encoding rot13"),
        (lambda: b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000000\ntVb\ntR.", "an array of its own kind"),
        (lambda: pickle.dumps({"data": np.ma.array([1])}, protocol=2), "numpy.ma._core._mareconstruct"),
    ],
)
def test_a_pickle_that_wants_more_is_refused_by_name(content, wanted, tmp_path):
    path = tmp_path / "data_batch_1"
    path.write_bytes(content())
    with pytest.raises(DataError) as caught:
        read_batch(path)
    if wanted.startswith("numpy.ma"):
        assert "numpy.ma" in caught.value.found
        return
    assert str(caught.value) == (
        f"expected: a batch of numbers and texts\nfound: {path} wants {wanted}, which could run foreign code\n"
        "to do: do not use the file; fetch it anew"
    )


def test_only_what_a_batch_contains_is_admitted():
    """The names in what Python writes are among those admitted, and no name beyond them is."""
    from neocog.data.cifar import ADMITTED

    for number in range(6):
        data = pickle.dumps(batch(), protocol=number)
        strings = [argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, str)]
        assert any("numpy" in text for text in strings)
    assert {module.split(".")[0] for module, _ in ADMITTED} == {"numpy", "_codecs"}
    assert len(ADMITTED) == 7


@pytest.mark.parametrize("cut", [0, 10, 3000])
def test_a_batch_cut_short(cut, tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(published(batch())[:cut])
    with pytest.raises(DataError) as caught:
        read_batch(path)
    assert caught.value.expected == "a whole batch file"
    assert caught.value.found.startswith(f"{path} is damaged or cut short (")
    assert caught.value.remedy == "replace the file"


def test_a_pickle_that_is_no_dictionary(tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError) as caught:
        read_batch(path)
    assert str(caught.value) == f"expected: a batch, which is a dictionary\nfound: {path} holds a list\nto do: replace the file"


@pytest.mark.parametrize(
    ("file", "content", "expected", "found"),
    [
        ("batches.meta", {"names": NAMES}, "the classes' names under the key label_names", "has none"),
        ("data_batch_2", {"labels": [1]}, "pictures as rows of 3,072 unsigned bytes under the key data", "has none"),
        (
            "data_batch_2",
            batch() | {"data": np.zeros((4, 7), dtype=np.uint8)},
            "pictures as rows of 3,072 unsigned bytes under the key data",
            "has none",
        ),
        ("data_batch_3", batch() | {"labels": [1, 2]}, "4 labels under the key labels", "has others"),
        ("test_batch", batch() | {"labels": [0, 1, 2, 10]}, "labels from 0 to 9", "has labels from 0 to 10"),
    ],
)
def test_what_is_wrong_with_a_batch_is_said(file, content, expected, found, tmp_path, monkeypatch):
    folder = write(tmp_path, "cifar10", cifar10_files(published, **{file: pickle.dumps(content)}))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        open_dataset("cifar10")
    assert str(caught.value) == f"expected: {expected}\nfound: {folder / file} {found}\nto do: replace the file"
