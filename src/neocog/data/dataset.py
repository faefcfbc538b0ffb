"""What every dataset answers."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.compact import DIGEST_BYTES, Names
from neocog.images import Picture, Size
from neocog.targets import Label, Target, TaskName

__all__ = ["SPLITS", "Dataset", "Split", "TaskName", "content_digest"]

Split = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")


def content_digest(content: bytes | memoryview) -> bytes:
    """16 bytes that stand for a picture's content: equal for equal files (for equal pixels where there are no files)."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


class Dataset(ABC):
    """Pictures, each with a target, in a fixed order.

    Attributes:
        name: as it was asked for, or the folder's name.
        task: what the targets are for.
        class_names: of the classes that targets name by index; empty where there are none.
        class_ids: WordNet ids ("n01440764") of the classes, in the same order; empty where there are none.
        channels: 1 when every picture is grey, else 3.
        typical_size: median height and median width of the pictures.
        alike: whether nearly all pictures have about the same proportions.
        mirrored: whether a mirror image keeps its meaning (False for digits).
        root: the folder or file that the dataset was read from; None for what is drawn or comes with a package.
        licence: terms of the pictures, as their publisher states them.
        notes: how the layout was told, and what was left out.
    """

    name: str
    task: TaskName
    class_names: tuple[str, ...] = ()
    class_ids: tuple[str, ...] = ()
    channels: int
    typical_size: Size
    alike: bool = True
    mirrored: bool = True
    root: Path | None = None
    licence: str = "unknown"
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are, faulty ones included."""

    @abstractmethod
    def where(self, index: int) -> str:
        """The picture's own name: its path below the root with forward slashes, or "train[17]"."""

    @abstractmethod
    def given_split(self, index: int) -> Split | None:
        """The split that the publisher put the picture in."""

    @abstractmethod
    def target(self, index: int) -> Target:
        """What is known about the picture, in its own upright pixels."""

    @abstractmethod
    def picture(self, index: int, at_least: Size | None = None, depth: Literal[8, 16] = 8) -> Picture:
        """The decoded picture, with the dataset's channels.

        Args:
            index: which picture.
            at_least: height and width that the result must still cover; a smaller decoding of a large
                photo may then be given.
            depth: bits per channel.

        Raises:
            PictureError: the picture cannot be used.
        """

    @abstractmethod
    def digest(self, index: int) -> bytes:
        """`content_digest` of the picture's file, or of its pixels where it has none."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hexadecimal digits that change when pictures come, go or change their size, and when classes do."""

    def class_indices(self) -> Int64[Tensor, "n"] | None:
        """The class of every picture at once; None for a task in which a picture has not exactly one."""
        if self.task != "classify":
            return None
        targets = (self.target(index) for index in range(len(self)))
        return torch.tensor([target.index for target in targets if isinstance(target, Label)], dtype=torch.int64)

    def require_target(self, index: int, size: Size) -> None:  # noqa: B027 - what comes with its picture is never at fault
        """Hold what is known about a picture against it; a subclass whose targets may be at fault looks.

        Args:
            index: which picture.
            size: its height and width, upright.

        Raises:
            PictureError: the target cannot be used.
        """

    def target_mark(self, index: int) -> str:
        """A short text that changes when the target's own file does; empty where it has none."""
        return ""

    def given_splits(self) -> tuple[Split, ...]:
        """The splits that the publisher made, in the order train, val, test; empty for one pool."""
        found = {self.given_split(index) for index in range(len(self))}
        return tuple(split for split in SPLITS if split in found)

    def wheres(self) -> Sequence[str]:
        """The names of all pictures."""
        return Names(self.where(index) for index in range(len(self)))
