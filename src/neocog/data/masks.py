"""Datasets of picture files with a mask file each."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import torch
from jaxtyping import Bool, UInt16
from torch import Tensor

from neocog.data.class_list import ClassList
from neocog.data.compact import Names
from neocog.data.dataset import Split, content_digest
from neocog.data.files import FileDataset, read_file
from neocog.errors import PictureError
from neocog.files import printable
from neocog.images import Size, decode_mask
from neocog.targets import Mask

__all__ = ["MaskedFiles", "partners"]

MASK_SUFFIXES = ("", "_mask", "_masks", "_label", "_labels", "_gt", "_seg", "_L", "_P")
MOST_NAMES_SHOWN = 3


class MaskedFiles(FileDataset):
    """Picture files with a mask file each.

    Args:
        name: the dataset's name.
        root: the folder.
        files: paths of the pictures below it.
        masks: paths of their masks, in the same order; empty where there is none.
        classes: what the masks' numbers or colours stand for.
        splits: the given split of each file; None for one pool.
        notes: how the layout was told, and what was left out.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        files: Sequence[str],
        masks: Sequence[str],
        classes: ClassList,
        *,
        splits: Sequence[Split | None] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(printable(name), "segment", root, files, splits)
        self.masks = Names(masks)
        self.classes = classes
        self.class_names = classes.names
        self.notes = (*notes, *classes.notes)

    def target(self, index: int) -> Mask:
        """The mask with indices into the class names.

        Raises:
            PictureError: there is none, or it cannot be used.
        """
        return Mask(self._indices[self._numbers(index).to(torch.int64)], self.classes.void)

    def require_target(self, index: int, size: Size) -> None:
        """Hold the mask against its picture.

        Args:
            index: which picture.
            size: its height and width, upright.

        Raises:
            PictureError: there is no mask, it cannot be read, has another size or numbers without a class, or is all void.
        """
        numbers = self._numbers(index)
        if tuple(numbers.shape) != size:
            found = f"{self.masks[index]} of {numbers.shape[0]}x{numbers.shape[1]} for a picture of {size[0]}x{size[1]}"
            raise PictureError("a mask of the picture's size", found, "make them of one size", "mask")
        present = numbers.flatten().to(torch.int64).unique()
        unknown = present[~self._known[present]].tolist()
        if unknown:
            shown = ", ".join(map(str, unknown[:MOST_NAMES_SHOWN])) + (", …" if len(unknown) > MOST_NAMES_SHOWN else "")
            expected, found = f"numbers of the {len(self.class_names)} classes in the mask", f"{shown} in {self.masks[index]}"
            raise PictureError(expected, found, "correct the mask, or list all classes", "mask")
        if present.tolist() == [self.classes.void_number]:
            expected, found = "a mask with a labelled pixel", f"nothing but void in {self.masks[index]}"
            raise PictureError(expected, found, "label it, or take it away", "mask")

    def target_mark(self, index: int) -> str:
        """The first eight bytes of the digest of the mask's file; empty where it cannot be read."""
        try:
            return content_digest(self._content_of_mask(index)).hex()[:16]
        except PictureError:
            return ""

    def fingerprint(self) -> str:
        """As for all files, and of the masks' sizes in bytes and the classes' numbers."""
        digest = hashlib.blake2b(super().fingerprint().encode(), digest_size=16)
        digest.update(f"{self.classes.numbers} {self.classes.void_number} {self.classes.colours}".encode())
        for name, facts in self._stats_of_masks():
            digest.update(f"\n{-1 if facts is None else facts.st_size} {name}".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _stats_of_masks(self) -> Iterator[tuple[str, os.stat_result | None]]:
        for name in self.masks:
            try:
                yield name, (Path(str(self.root)) / name).stat() if name else None
            except OSError:
                yield name, None

    def _content_of_mask(self, index: int) -> bytes:
        if not self.masks[index]:
            raise PictureError("a mask for each picture", "no mask of its name", "add the mask, or take the picture away", "mask")
        assert self.root is not None
        try:
            return read_file(self.root / self.masks[index])
        except PictureError as error:
            raise _of_mask(self.masks[index], error) from error

    def _numbers(self, index: int) -> UInt16[Tensor, "h w"]:
        content = self._content_of_mask(index)
        try:
            return decode_mask(content, colours=self.classes.colours)
        except PictureError as error:
            raise _of_mask(self.masks[index], error) from error

    @cached_property
    def _indices(self) -> UInt16[Tensor, "n"]:
        return self.classes.table()

    @cached_property
    def _known(self) -> Bool[Tensor, "n"]:
        return self.classes.known()


def _of_mask(name: str, error: PictureError) -> PictureError:
    return PictureError(error.expected, f"its mask {name}: {error.found}", error.remedy, "mask")


def partners(pictures: Sequence[str], masks: Sequence[str]) -> tuple[list[str], list[str]]:
    """For each picture the mask of the same name, but for the file's suffix and endings such as _mask or _L.

    Args:
        pictures: paths of pictures, with forward slashes.
        masks: paths of masks below their own folder.

    Returns:
        the mask of each picture, empty where there is none, and the masks that are nobody's.
    """
    by_stem: Mapping[str, str] = {_stem(name): name for name in reversed(masks)}
    found = []
    for picture in pictures:
        stem = _stem(picture)
        found.append(next((by_stem[stem + ending] for ending in MASK_SUFFIXES if stem + ending in by_stem), ""))
    taken = set(found)
    return found, [mask for mask in masks if mask not in taken]


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
