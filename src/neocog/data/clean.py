"""Datasets of clean pictures: alone, so that the task adds the noise, or each beside a noisy one."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from neocog.data.compact import Names
from neocog.data.dataset import Split, content_digest
from neocog.data.files import FileDataset, read_file
from neocog.errors import PictureError
from neocog.files import printable
from neocog.images import Picture, Size, decode, inspect
from neocog.targets import Clean

__all__ = ["CleanFiles", "PairedFiles"]

REMEDY = "add it, or take this one away"


class CleanFiles(FileDataset):
    """Picture files without noise; a picture of 16 bits keeps them.

    Args:
        name: the dataset's name.
        root: the folder.
        files: paths below it.
        splits: the given split of each file; None for one pool.
        notes: how the layout was told, and what was left out.
    """

    def __init__(
        self, name: str, root: Path, files: Sequence[str], *, splits: Sequence[Split | None] | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(printable(name), "denoise", root, files, splits)
        self.notes = notes

    def target(self, index: int) -> Clean:
        """The picture itself, at its own depth.

        Raises:
            PictureError: it cannot be used.
        """
        content = self.content(index)
        return Clean(decode(content, channels=self.mode, depth=_depth(content)), disturbed=False)


class PairedFiles(FileDataset):
    """Noisy picture files with a clean one each.

    Args:
        name: the dataset's name.
        root: the folder.
        files: paths of the noisy pictures below it, then of those clean ones that have no noisy one.
        clean: paths of the clean pictures, in the same order; empty where there is no pair.
        splits: the given split of each file; None for one pool.
        notes: how the layout was told, and what was left out.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        files: Sequence[str],
        clean: Sequence[str],
        *,
        splits: Sequence[Split | None] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(printable(name), "denoise", root, files, splits)
        self.clean = Names(clean)
        self.notes = notes

    def target(self, index: int) -> Clean:
        """The clean picture, with 16 bits where it or its noisy one has them.

        Raises:
            PictureError: there is none, or it cannot be used.
        """
        content = self._content_of_clean(index)
        depth: Literal[8, 16] = 16 if 16 in (_depth(content), _depth(self.content(index))) else 8
        return Clean(self._decoded(index, content, depth))

    def require_target(self, index: int, size: Size) -> None:
        """Hold the clean picture against the noisy one.

        Args:
            index: which picture.
            size: height and width of the noisy one, upright.

        Raises:
            PictureError: there is none, it cannot be read, or it has another size.
        """
        found = tuple(self._decoded(index, self._content_of_clean(index), 8).shape[1:])
        if found != size:
            words = f"{self.clean[index]} of {found[0]}x{found[1]} for a picture of {size[0]}x{size[1]}"
            raise PictureError("a clean picture of the noisy one's size", words, "make them of one size", "partner")

    def target_mark(self, index: int) -> str:
        """The first eight bytes of the digest of the clean picture's file; empty where it cannot be read."""
        try:
            return content_digest(self._content_of_clean(index)).hex()[:16]
        except PictureError:
            return ""

    def fingerprint(self) -> str:
        """As for all files, and of the clean ones' names and sizes in bytes."""
        digest = hashlib.blake2b(super().fingerprint().encode(), digest_size=16)
        beside = FileDataset(self.name, self.task, Path(str(self.root)), self.clean)
        for name, facts in beside.stats():
            digest.update(f"\n{-1 if facts is None or not name else facts.st_size} {name}".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _content_of_clean(self, index: int) -> bytes:
        name = self.clean[index]
        if not name:
            raise PictureError("a clean and a noisy picture of each name", "no partner of its name", REMEDY, "partner")
        try:
            return read_file(Path(str(self.root)) / name)
        except PictureError as error:
            raise _of_clean(name, error) from error

    def _decoded(self, index: int, content: bytes, depth: Literal[8, 16]) -> Picture:
        try:
            return decode(content, channels=self.mode, depth=depth)
        except PictureError as error:
            raise _of_clean(self.clean[index], error) from error


def _depth(content: bytes) -> Literal[8, 16]:
    return 16 if inspect(content).depth == 16 else 8


def _of_clean(name: str, error: PictureError) -> PictureError:
    return PictureError(error.expected, f"its clean picture {name}: {error.found}", error.remedy, "partner")
