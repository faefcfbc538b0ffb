"""Reads the pickled batches of CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009) without running what a pickle asks for.

A pickle may name any function and have it called. The published batches, and copies that newer versions of
NumPy and Python write, name those in ADMITTED; here they stand for our own functions, which do only what a batch needs,
and every other name is refused.
"""

import io
import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from neocog.data.arrays import ArrayDataset
from neocog.errors import DataError

__all__ = ["CifarFiles", "open_cifar", "read_batch"]

SIDE = 32
CHANNELS = 3
Bytes = NDArray[np.uint8]


class _Refused(Exception):
    """A pickle names something that no batch contains."""


class _Array(NDArray[Any]):
    """What a pickle builds its arrays with: numbers only, never references to objects."""

    def __setstate__(self, state: Any) -> None:
        if state[2].hasobject:
            raise _Refused("an array of objects")
        super().__setstate__(state)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding != "latin1":
        raise _Refused(f"the encoding {encoding}")
    return str(text).encode("latin1")


def _reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    if kind is not _Array or shape != (0,):
        raise _Refused("an array of its own kind")
    return np.ndarray.__new__(_Array, shape, np.int8)


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any, axis_order: Any = None) -> Any:
    if dtype.hasobject or axis_order is not None:
        raise _Refused("an array of objects")
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _dtype(code: Any, align: Any = False, copy: Any = True) -> Any:
    dtype = np.dtype(code)
    if dtype.kind not in "uib":
        raise _Refused(f"numbers of the kind {code}")
    return dtype


ADMITTED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _dtype,
}
for _module in ("numpy.core", "numpy._core"):  # before and since NumPy 2
    ADMITTED[_module + ".multiarray", "_reconstruct"] = _reconstruct
    ADMITTED[_module + ".numeric", "_frombuffer"] = _from_buffer


def _load_buffer(unpickler: Any) -> None:
    """As `pickle` does, but no more is taken than the file holds."""
    (length,) = struct.unpack("<Q", unpickler.read(8))
    unpickler.append(bytearray(unpickler.read(length)))


class _BatchUnpickler(pickle._Unpickler):
    """The unpickler that is written in Python: the faster one takes memory up to the highest number that a reference names."""

    dispatch: ClassVar = {**pickle._Unpickler.dispatch, pickle.BYTEARRAY8[0]: _load_buffer}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise _Refused(f"{module}.{name}")
        return ADMITTED[module, name]


def read_batch(path: Path) -> dict[str, Any]:
    """The dictionary that one batch file holds, its keys as text.

    Raises:
        DataError: the file wants what no batch contains, is damaged, or is no dictionary.
    """
    try:
        content = _BatchUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except _Refused as error:
        raise DataError(
            "a batch of numbers and texts", f"{path} wants {error}, which could run foreign code", "do not use the file; fetch it anew"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes may make the unpickler raise anything
        detail = " ".join(str(error).split()) or type(error).__name__
        raise DataError("a whole batch file", f"{path} is damaged or cut short ({detail})", "replace the file") from error
    if not isinstance(content, dict):
        raise DataError("a batch, which is a dictionary", f"{path} holds a {type(content).__name__}", "replace the file")
    return {_text(key): value for key, value in content.items()}


class CifarFiles:
    """Which files a CIFAR consists of, and the keys of what is wanted in them.

    Args:
        train: the training batches.
        test: the test batch.
        meta: the file with the names of the classes.
        labels: the key of the labels in a batch.
        names: the key of the classes' names in `meta`.
    """

    def __init__(self, train: Sequence[str], test: str, meta: str, labels: str, names: str) -> None:
        self.train = tuple(train)
        self.test = test
        self.meta = meta
        self.labels = labels
        self.names = names

    def all_in(self, folder: Path) -> bool:
        """Whether the folder has them."""
        return all((folder / file).is_file() for file in (*self.train, self.test, self.meta))


def open_cifar(name: str, folder: Path, files: CifarFiles, licence: str) -> ArrayDataset:
    """The dataset that lies in a folder.

    Raises:
        DataError: a file is damaged, wants what no batch contains, or its pictures and labels do not match.
    """
    class_names = _class_names(folder / files.meta, files.names)
    paths = [folder / file for file in (*files.train, files.test)]
    read = [_pictures_and_labels(path, files.labels, len(class_names)) for path in paths]
    pixels = torch.from_numpy(np.concatenate([pictures for pictures, _ in read]))
    labels = torch.from_numpy(np.concatenate([labels for _, labels in read]))
    tested = len(read[-1][1])
    return ArrayDataset(
        name,
        pixels,
        labels,
        class_names,
        lengths={"train": len(labels) - tested, "test": tested},
        mirrored=True,
        licence=licence,
        root=folder,
        notes=(f"{name}: pickled batches in {folder}",),
    )


def _class_names(path: Path, key: str) -> tuple[str, ...]:
    names = read_batch(path).get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str | bytes) for name in names):
        raise DataError(f"the classes' names under the key {key}", f"{path} has none", "replace the file")
    return tuple(_text(name) for name in names)


def _pictures_and_labels(path: Path, key: str, classes: int) -> tuple[Bytes, NDArray[np.int64]]:
    batch = read_batch(path)
    data, labels = batch.get("data"), batch.get(key)
    size = CHANNELS * SIDE * SIDE
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != size or not len(data):
        raise DataError(f"pictures as rows of {size:,} unsigned bytes under the key data", f"{path} has none", "replace the file")
    if not isinstance(labels, list) or len(labels) != len(data) or not all(isinstance(label, int) for label in labels):
        raise DataError(f"{len(data):,} labels under the key {key}", f"{path} has others", "replace the file")
    if labels and not 0 <= min(labels) <= max(labels) < classes:
        raise DataError(f"labels from 0 to {classes - 1}", f"{path} has labels from {min(labels)} to {max(labels)}", "replace the file")
    return np.asarray(data).view(np.ndarray).reshape(-1, CHANNELS, SIDE, SIDE), np.array(labels, dtype=np.int64)


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
