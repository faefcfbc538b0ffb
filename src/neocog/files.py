"""Writing files so that a kill or a full disk at any instant leaves the old file or the new one, whole."""

import os
from pathlib import Path

from neocog.errors import SurroundingsError

__all__ = ["PART", "write_atomically"]

PART = ".part"
"""Suffix of a file that is still being written; one that is left over belongs to a writer that was killed."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write under a temporary name in the same folder, flush to the disk, rename.

    Args:
        path: of the file; its folder must exist.
        data: all of its bytes.

    Raises:
        SurroundingsError: the disk is full, or the folder cannot be written to; what was there is unchanged.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SurroundingsError(
            f"{len(data):,} bytes written to {path}", str(error.strerror), "free some space, or choose another folder"
        ) from error


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
