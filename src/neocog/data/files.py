"""Datasets whose pictures are files."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from statistics import median_low
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.compact import Names
from neocog.data.dataset import Dataset, Split, TaskName, content_digest
from neocog.errors import PictureError
from neocog.images import Facts, Picture, Size, decode, inspect
from neocog.targets import Label, Target

__all__ = ["FileDataset", "LabelledFiles", "read_file"]

SAMPLED = 256  # files whose headers tell channels and typical size
HEADER_BYTES = 1 << 16
ASPECT_TOLERANCE, SHARE_ALIKE = 1.05, 0.95
ENDLESS = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK)  # reading one may wait for ever


def read_file(path: Path) -> bytes:
    """The bytes of a picture file.

    Raises:
        PictureError: there is none, or it may not be read.
    """
    try:
        if stat.S_IFMT(path.stat().st_mode) in ENDLESS:
            raise PictureError("a readable picture file", "a pipe or a device", "take it away", "unreadable")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PictureError("a picture file", "no file", "put the file back", "missing") from error
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise PictureError("a readable picture file", found, "allow reading it, or take it away", "unreadable") from error


class FileDataset(Dataset):
    """Pictures in files below one folder; a subclass says what is known about them.

    Args:
        name: the dataset's name.
        task: what the targets are for.
        root: the folder.
        files: paths below the folder, with forward slashes; absolute ones stand for themselves.
        splits: the given split of each file; None for one pool.
    """

    def __init__(self, name: str, task: TaskName, root: Path, files: Sequence[str], splits: Sequence[Split | None] | None = None) -> None:
        self.name = name
        self.task = task
        self.root = root
        self.files = files if isinstance(files, Names) else Names(files)
        self.splits = splits

    def __len__(self) -> int:
        return len(self.files)

    def where(self, index: int) -> str:
        """The path below the root."""
        return self.files[index]

    def wheres(self) -> Sequence[str]:
        """The paths below the root."""
        return self.files

    def path(self, index: int) -> Path:
        """The file's place on disk."""
        assert self.root is not None
        return self.root / self.files[index]

    def given_split(self, index: int) -> Split | None:
        """As given to the constructor."""
        return None if self.splits is None else self.splits[index]

    def target(self, index: int) -> Target:
        """A subclass has them."""
        raise TypeError(f"{type(self).__name__} has pictures, but no targets")

    @property
    def mode(self) -> Literal["rgb", "grey"]:
        """How the decoder is asked for the dataset's channels."""
        return "grey" if self.channels == 1 else "rgb"

    def picture(self, index: int, at_least: Size | None = None, depth: Literal[8, 16] = 8) -> Picture:
        """Read and decode the file."""
        return decode(self.content(index), channels=self.mode, depth=depth, at_least=at_least)

    def content(self, index: int) -> bytes:
        """The bytes of the file.

        Raises:
            PictureError: there is none, or it may not be read.
        """
        return read_file(self.path(index))

    def digest(self, index: int) -> bytes:
        """Of the file."""
        return content_digest(self.content(index))

    def stats(self) -> Iterator[tuple[str, os.stat_result | None]]:
        """Name, size and times of each file; None for one that is not there. No file is read."""
        for name in self.files:
            try:
                yield name, os.stat(os.path.join(str(self.root), name))  # noqa: PTH116, PTH118 - a million path objects take seconds
            except OSError:
                yield name, None

    def fingerprint(self) -> str:
        """Of the paths, the files' sizes in bytes, and the class names; no file is read."""
        digest = hashlib.blake2b("\n".join((self.task, *self.class_names)).encode(errors="surrogateescape"), digest_size=16)
        for name, facts in self.stats():
            digest.update(f"\n{-1 if facts is None else facts.st_size} {name}".encode(errors="surrogateescape"))
        return digest.hexdigest()

    @cached_property
    def channels(self) -> int:  # type: ignore[override]
        """1 when all of an evenly spaced sample of the files are grey, else 3."""
        return 1 if self._sample and all(facts.channels == 1 for facts in self._sample) else 3

    @cached_property
    def typical_size(self) -> Size:  # type: ignore[override]
        """Median height and median width of an evenly spaced sample of the files."""
        if not self._sample:
            return 0, 0
        return median_low([facts.height for facts in self._sample]), median_low([facts.width for facts in self._sample])

    @cached_property
    def alike(self) -> bool:  # type: ignore[override]
        """Whether at least 19 of 20 files of an evenly spaced sample have the median proportions, but for 5 %."""
        aspects = [facts.width / facts.height for facts in self._sample]
        middle = median_low(aspects) if aspects else 1.0
        near = sum(1 / ASPECT_TOLERANCE <= aspect / middle <= ASPECT_TOLERANCE for aspect in aspects)
        return near >= SHARE_ALIKE * len(aspects)

    @cached_property
    def _sample(self) -> list[Facts]:
        count = min(SAMPLED, len(self))
        indices = [i * len(self) // count for i in range(count)]
        return [facts for facts in map(self._header, indices) if facts is not None]

    def _header(self, index: int) -> Facts | None:
        try:
            if not self.path(index).is_file():  # a pipe would never end
                return None
            with self.path(index).open("rb") as file:
                head = file.read(HEADER_BYTES)
                try:
                    return inspect(head)
                except PictureError:  # a header may be longer than that: thumbnails, a TIFF's directory at its end
                    return inspect(head + file.read())
        except (OSError, PictureError):
            return None


class LabelledFiles(FileDataset):
    """Picture files with one class each.

    Args:
        name: the dataset's name.
        root: the folder.
        files: paths below the folder.
        labels: an index into `class_names` for each file.
        class_names: in the order of the labels.
        class_ids: WordNet ids in the same order, or empty.
        splits: the given split of each file; None for one pool.
        notes: how the layout was told, and what was left out.
    """

    def __init__(  # noqa: PLR0913 - one per fact that a dataset has
        self,
        name: str,
        root: Path,
        files: Sequence[str],
        labels: Sequence[int],
        class_names: tuple[str, ...],
        *,
        class_ids: tuple[str, ...] = (),
        splits: Sequence[Split | None] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, "classify", root, files, splits)
        self.labels = labels
        self.class_names = class_names
        self.class_ids = class_ids
        self.notes = notes

    def target(self, index: int) -> Label:
        """The label."""
        return Label(self.labels[index])

    def class_indices(self) -> Int64[Tensor, "n"]:
        """The labels."""
        return torch.tensor(self.labels, dtype=torch.int64)
