"""Datasets of picture files with a mask file each."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import torch
from jaxtyping import Bool, UInt16
from torch import Tensor

from neocog.data.class_list import ClassList
from neocog.data.dataset import Split
from neocog.data.partnered import PartneredFiles
from neocog.errors import PictureError
from neocog.images import Size, decode_mask, inspect
from neocog.targets import Mask

__all__ = ["MaskedFiles", "partners", "sharing"]

MASK_SUFFIXES = ("", "_mask", "_masks", "_label", "_labels", "_gt", "_seg", "_L", "_P")
MOST_NAMES_SHOWN = 3


class MaskedFiles(PartneredFiles):
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

    partner = fault = "mask"
    missing = ("a mask for each picture", "no mask of its name", "add the mask, or take the picture away")

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
        super().__init__(name, "segment", root, files, masks, splits=splits)
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
            found = f"{self.partners[index]} of {numbers.shape[0]}x{numbers.shape[1]} for a picture of {size[0]}x{size[1]}"
            if tuple(numbers.shape) == size[::-1] and inspect(self.content(index)).orientation != 1:
                raise PictureError("a mask as upright as its picture", f"{found}, upright by its EXIF", "turn the mask likewise", "mask")
            raise PictureError("a mask of the picture's size", found, "make them of one size", "mask")
        present = numbers.flatten().to(torch.int64).unique()
        unknown = present[~self._known[present]].tolist()
        if unknown:
            shown = ", ".join(map(str, unknown[:MOST_NAMES_SHOWN])) + (", …" if len(unknown) > MOST_NAMES_SHOWN else "")
            expected, found = f"numbers of the {len(self.class_names)} classes in the mask", f"{shown} in {self.partners[index]}"
            raise PictureError(expected, found, "correct the mask, or list all classes", "mask")
        if present.tolist() == [self.classes.void_number]:
            expected, found = "a mask with a labelled pixel", f"nothing but void in {self.partners[index]}"
            raise PictureError(expected, found, "label it, or take it away", "mask")

    def fingerprint(self) -> str:
        """As for all files with a target's, and of the classes' numbers."""
        known = f"{self.classes.numbers} {self.classes.void_number} {self.classes.colours}"
        return hashlib.blake2b(f"{super().fingerprint()} {known}".encode(), digest_size=16).hexdigest()

    def _numbers(self, index: int) -> UInt16[Tensor, "h w"]:
        content = self.partner_content(index)
        try:
            return decode_mask(content, colours=self.classes.colours)
        except PictureError as error:
            raise self.of_partner(index, error) from error

    @cached_property
    def _indices(self) -> UInt16[Tensor, "n"]:
        return self.classes.table()

    @cached_property
    def _known(self) -> Bool[Tensor, "n"]:
        return self.classes.known()


def partners(pictures: Sequence[str], masks: Sequence[str]) -> tuple[list[str], list[str]]:
    """For each picture the mask of the same name, but for the file's suffix and endings such as _mask or _L.

    Args:
        pictures: paths of pictures, with forward slashes.
        masks: paths of masks below their own folder; 1.jpg.png is the mask of 1.jpg.

    Returns:
        the mask of each picture, empty where there is none, and the masks that are nobody's.
    """
    by_stem: Mapping[str, str] = {_stem(name): name for name in reversed(masks)}
    found = []
    for picture in pictures:
        names = (picture, *(_stem(picture) + ending for ending in MASK_SUFFIXES))
        found.append(next((by_stem[name] for name in names if name in by_stem), ""))
    taken = set(found)
    return found, [mask for mask in masks if mask not in taken]


def sharing(pictures: Sequence[str], masks: Sequence[str]) -> list[str]:
    """Pictures that have the mask of one before them: 1.png after 1.jpg.

    Args:
        pictures: paths.
        masks: that of each, in the same order; empty where there is none.
    """
    seen: set[str] = set()
    found = []
    for picture, mask in zip(pictures, masks, strict=True):
        if mask in seen:
            found.append(picture)
        elif mask:
            seen.add(mask)
    return found


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
