"""idx files, whole, packed, damaged and not matching."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
import torch

from neocog.data.idx import IDX_FILES, read_idx
from neocog.data.open import open_dataset
from neocog.errors import DataError


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def arrays(train=6, test=4):
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (train, 5, 7), dtype=np.uint8),
        np.arange(train, dtype=np.uint8) % 10,
        rng.integers(0, 256, (test, 5, 7), dtype=np.uint8),
        np.arange(test, dtype=np.uint8),
    ]


def write(base, place, contents, packed):
    folder = base / place
    folder.mkdir(parents=True)
    for name, content in zip(IDX_FILES, contents, strict=True):
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("name", "place"),
    [("mnist", "MNIST/raw"), ("mnist", "mnist"), ("fashion-mnist", "FashionMNIST/raw"), ("fashion-mnist", "fashion-mnist")],
)
def test_the_published_files(name, place, packed, tmp_path, monkeypatch):
    written = arrays()
    folder = write(tmp_path, place, [idx(array) for array in written], packed)
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    dataset = open_dataset(name)
    assert dataset.root == folder
    assert [dataset.given_split(i) for i in range(10)] == ["train"] * 6 + ["test"] * 4
    assert torch.equal(dataset.picture(7)[0], torch.from_numpy(written[2][1]))
    assert dataset.target(7).index == 1
    assert dataset.where(7) == "test[1]"
    assert (dataset.channels, dataset.typical_size) == (1, (5, 7))
    assert dataset.mirrored == (name == "fashion-mnist")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda data: b"\x00\x00\x0d\x03" + data[4:],
            "expected: an idx file of unsigned bytes with 3 axes\nfound: {} begins with 00 00 0d 03\nto do: replace the file",
        ),
        (lambda data: b"", "expected: an idx file of unsigned bytes with 3 axes\nfound: {} begins with nothing\nto do: replace the file"),
        (lambda data: data[:-3], "expected: 210 numbers\nfound: {} holds 207\nto do: replace the file"),
        (lambda data: data + b"x", "expected: 210 numbers\nfound: {} holds more\nto do: replace the file"),
    ],
)
def test_another_file(change, text, tmp_path):
    path = tmp_path / "images"
    path.write_bytes(change(idx(arrays()[0])))
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert str(caught.value) == text.format(path)


@pytest.mark.parametrize("packed", [True, False])
def test_more_than_the_header_says_is_not_unpacked(packed, tmp_path):
    path = tmp_path / "images"
    data = idx(arrays()[0]) + bytes(100_000_000)
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    tracemalloc.start()
    with pytest.raises(DataError, match="holds more"):
        read_idx(path, 3)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_header_that_announces_too_much(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, *[2**32 - 1] * 3))
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert str(caught.value) == (
        f"expected: an idx file of at most 1,073,741,824 numbers\nfound: {path} announces {(2**32 - 1) ** 3:,}\nto do: replace the file"
    )


@pytest.mark.parametrize("cut", [15, -4])
def test_a_gzip_file_cut_short(cut, tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(arrays()[0]))[:cut])
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert caught.value.expected == "a whole gzip file"
    assert caught.value.found.startswith(f"{path} is damaged or cut short (")


@pytest.mark.parametrize(
    ("number", "replacement", "text"),
    [
        (1, np.zeros(5, dtype=np.uint8), "expected: 6 labels, one for each picture\nfound: {} holds 5\nto do: replace the files"),
        (3, np.full(4, 10, dtype=np.uint8), "expected: labels from 0 to 9\nfound: {} holds the label 10\nto do: replace the file"),
        (
            2,
            np.zeros((4, 5, 6), dtype=np.uint8),
            "expected: training and test pictures of one size\nfound: (5, 7) and (5, 6)\nto do: replace the files",
        ),
    ],
)
def test_files_that_do_not_match(number, replacement, text, tmp_path, monkeypatch):
    contents = [idx(array) for array in arrays()]
    contents[number] = idx(replacement)
    folder = write(tmp_path, "mnist", contents, packed=False)
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        open_dataset("mnist")
    assert str(caught.value) == text.format(folder / IDX_FILES[number])


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_pixels_and_labels_are_torchvisions(name, kind, real_data, tmp_path):
    from torchvision.datasets.mnist import read_image_file, read_label_file

    dataset = open_dataset(name)
    for file in IDX_FILES[2:]:
        (tmp_path / file).write_bytes(gzip.decompress((real_data / kind / "raw" / f"{file}.gz").read_bytes()))
    assert torch.equal(dataset.pixels[60_000:, 0], read_image_file(str(tmp_path / IDX_FILES[2])))
    assert torch.equal(dataset.labels[60_000:], read_label_file(str(tmp_path / IDX_FILES[3])))
