"""Writing files so that a kill or a full disk at any instant leaves the old file or the new one, whole."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from neocog.errors import SurroundingsError

__all__ = ["PART", "make_folder", "printable", "replacing", "write_atomically", "write_json", "write_parts"]

PART = ".part"
"""Suffix of a file that is still being written; one that is left over belongs to a writer that was killed."""


def printable(name: str) -> str:
    r"""A file's name as UTF-8 can hold it: bytes of another encoding stand as `\xe9`."""
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which Windows admits
        data = name.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "backslashreplace")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the path's place when the block ends well, and vanishes when it does not.

    It has a temporary name in the same folder, is flushed to the disk and then renamed.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; what was there is unchanged.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PART}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _flush_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file; its folder must exist.
        data: all of its bytes.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to; what was there is unchanged.
    """
    write_parts(path, (data,), len(data))


def write_parts(path: Path, parts: Iterable[bytes | memoryview], size: int | None = None) -> None:
    """Write a file whole or not at all, from parts that need not be in memory together.

    Args:
        path: of the file; its folder must exist.
        parts: its bytes, in their order.
        size: how many there are in all, where that is known.

    Raises:
        SurroundingsError: see `write_atomically`.
    """
    try:
        with replacing(path) as file:
            for part in parts:
                file.write(part)
    except OSError as error:
        what = "all" if size is None else f"{size:,} bytes"
        remedy = "free some space, or choose another folder"
        raise SurroundingsError(f"{what} written to {path}", str(error.strerror), remedy) from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all.

    Raises:
        SurroundingsError: see `write_atomically`.
    """
    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


def make_folder(path: Path) -> None:
    """Make a folder to write into, and those above it, where there is none.

    Raises:
        SurroundingsError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SurroundingsError("a folder to write to", f"{path}: {error.strerror}", "choose another folder") from error


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system and the file system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
