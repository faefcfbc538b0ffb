"""Reads the idx files of MNIST and of its successors (Y. LeCun, C. Cortes, C. Burges), packed by gzip or not.

An idx file is: two zero bytes, a byte for the kind of number (8: unsigned byte), a byte for how many axes,
four bytes for the length of each axis (big-endian), and the numbers.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neocog.data.arrays import ArrayDataset
from neocog.data.registry import published_folder
from neocog.errors import DataError

__all__ = ["IDX_FILES", "idx_folder", "open_idx_set", "read_idx"]

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
UNSIGNED_BYTE = 8
GZIP = b"\x1f\x8b"
MOST_NUMBERS = 1 << 30  # twenty times those of the largest published file


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The numbers of one idx file of unsigned bytes.

    Args:
        path: the file; read as gzip when it begins like one.
        axes: how many axes it must have: 1 for labels, 3 for pictures.

    Raises:
        DataError: another kind of file, or one cut short.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
            file.seek(0)
            with gzip.open(file) if packed else file as numbers:
                return _read_numbers(numbers, path, axes)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError("a whole gzip file", f"{path} is damaged or cut short ({error})", "replace the file") from error


def _read_numbers(file: BufferedIOBase, path: Path, axes: int) -> NDArray[np.uint8]:
    """No more is unpacked than the header announces: a small packed file may be endless."""
    head = file.read(4 + 4 * axes)
    if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, UNSIGNED_BYTE, axes)):
        expected = f"an idx file of unsigned bytes with {axes} {'axis' if axes == 1 else 'axes'}"
        raise DataError(expected, f"{path} begins with {head[:4].hex(' ') or 'nothing'}", "replace the file")
    shape = struct.unpack(f">{axes}I", head[4:])
    count = math.prod(shape)
    if count > MOST_NUMBERS:
        raise DataError(f"an idx file of at most {MOST_NUMBERS:,} numbers", f"{path} announces {count:,}", "replace the file")
    data = file.read(count + 1)
    if len(data) != count:
        found = f"{path} holds {'more' if len(data) > count else f'{len(data):,}'}"
        raise DataError(f"{count:,} numbers", found, "replace the file")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def idx_folder(name: str, places: tuple[str, ...]) -> Path:
    """Where the four files lie.

    Args:
        name: the dataset's name.
        places: folders below the data folder to look in.

    Raises:
        SurroundingsError: in none of the places.
    """
    by_hand = " ".join(f"{file}.gz" for file in IDX_FILES)
    return published_folder(name, places, lambda place: all(_file(place, file).is_file() for file in IDX_FILES), by_hand)


def open_idx_set(name: str, folder: Path, class_names: tuple[str, ...], *, mirrored: bool, licence: str) -> ArrayDataset:
    """A dataset of the four files that MNIST and its successors consist of.

    Args:
        name: the dataset's name.
        folder: of the files.
        class_names: in the order of the labels.
        mirrored: whether a mirror image keeps its meaning.
        licence: terms of the pictures.

    Raises:
        DataError: a file is damaged, or pictures and labels do not belong together.
    """
    paths = [_file(folder, file) for file in IDX_FILES]
    with ThreadPoolExecutor(len(paths)) as threads:
        arrays = list(threads.map(read_idx, paths, (3, 1, 3, 1)))
    _require_match(paths, arrays, len(class_names))
    pixels = torch.from_numpy(np.concatenate(arrays[::2])[:, None])
    labels = torch.from_numpy(np.concatenate(arrays[1::2]).astype(np.int64))
    return ArrayDataset(
        name,
        pixels,
        labels,
        class_names,
        lengths={"train": len(arrays[0]), "test": len(arrays[2])},
        mirrored=mirrored,
        licence=licence,
        root=folder,
        notes=(f"{name}: idx files in {folder}",),
    )


def _file(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_file() else folder / f"{name}.gz"


def _require_match(paths: Sequence[Path], arrays: Sequence[NDArray[Any]], classes: int) -> None:
    for images, path in zip(arrays[::2], paths[::2], strict=True):
        if not images.size:
            shape = " by ".join(f"{length:,}" for length in images.shape)
            raise DataError("pictures with pixels", f"{path} holds {shape} of them", "replace the file")
    for images, labels, path in zip(arrays[::2], arrays[1::2], paths[1::2], strict=True):
        if len(images) != len(labels):
            raise DataError(f"{len(images):,} labels, one for each picture", f"{path} holds {len(labels):,}", "replace the files")
        if labels.max() >= classes:
            raise DataError(f"labels from 0 to {classes - 1}", f"{path} holds the label {labels.max()}", "replace the file")
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise DataError("training and test pictures of one size", f"{arrays[0].shape[1:]} and {arrays[2].shape[1:]}", "replace the files")
