"""Datasets whose pictures are rows of one array: all of one size, in memory."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from neocog.data.compact import Digests
from neocog.data.dataset import Dataset, Split, content_digest
from neocog.images import Picture, Size
from neocog.targets import Label

__all__ = ["ArrayDataset"]


class ArrayDataset(Dataset):
    """Labelled pictures of one size.

    Args:
        name: the dataset's name.
        pixels: uint8 in [0, 255], grey or RGB.
        labels: an index into `class_names` for each picture.
        class_names: in the order of the labels.
        lengths: how many pictures each given split has, in the order in which they stand in `pixels`; empty
            for one pool.
        mirrored: whether a mirror image keeps its meaning.
        licence: terms of the pictures.
        root: where the files lie.
        notes: how the dataset was found.
    """

    task = "classify"

    def __init__(  # noqa: PLR0913 - one per fact that a dataset has
        self,
        name: str,
        pixels: UInt8[Tensor, "n c h w"],
        labels: Int64[Tensor, "n"],
        class_names: tuple[str, ...],
        *,
        lengths: Mapping[Split, int] | None = None,
        mirrored: bool,
        licence: str,
        root: Path | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.pixels = pixels
        self.labels = labels
        self.class_names = class_names
        self.channels = pixels.shape[1]
        self.typical_size = (pixels.shape[2], pixels.shape[3])
        self.mirrored = mirrored
        self.licence = licence
        self.root = root
        self.notes = notes
        self._places: list[tuple[int, int, Split]] = []
        start = 0
        for split, length in (lengths or {}).items():
            self._places.append((start, start + length, split))
            start += length

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, index: int) -> str:
        """`train[17]` with given splits, `digits[17]` in one pool."""
        for start, stop, split in self._places:
            if start <= index < stop:
                return f"{split}[{index - start}]"
        return f"{self.name}[{index}]"

    def given_split(self, index: int) -> Split | None:
        """By the row: splits follow one another."""
        return next((split for start, stop, split in self._places if start <= index < stop), None)

    def target(self, index: int) -> Label:
        """The label."""
        return Label(int(self.labels[index]))

    def class_indices(self) -> Int64[Tensor, "n"]:
        """The labels."""
        return self.labels

    def picture(self, index: int, at_least: Size | None = None, depth: Literal[8, 16] = 8) -> Picture:
        """A copy of the row, whatever size would do."""
        row = self.pixels[index].clone()
        return row if depth == 8 else (row.to(torch.int32) * 257).to(torch.uint16)

    def digest(self, index: int) -> bytes:
        """Of the pixels."""
        return content_digest(self.pixels[index].contiguous().numpy().data.cast("B"))

    def digests(self) -> Digests:
        """The digests of all pictures, at once."""
        found = Digests.empty(len(self))
        for index, row in enumerate(self.pixels.contiguous().numpy().reshape(len(self), -1)):
            found.put(index, content_digest(row.data))
        return found

    def fingerprint(self) -> str:
        """Of pixels, labels and class names."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.pixels.contiguous().numpy().data.cast("B"))
        digest.update(self.labels.contiguous().numpy().data.cast("B"))
        digest.update("\n".join(self.class_names).encode(errors="surrogateescape"))
        return digest.hexdigest()
