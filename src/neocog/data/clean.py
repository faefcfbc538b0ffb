"""Datasets of clean pictures: alone, so that the task adds the noise, or each beside a noisy one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from neocog.data.dataset import Split
from neocog.data.files import FileDataset
from neocog.data.partnered import PartneredFiles
from neocog.errors import PictureError
from neocog.files import printable
from neocog.images import Picture, Size, decode, inspect
from neocog.targets import Clean

__all__ = ["CleanFiles", "PairedFiles"]


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


class PairedFiles(PartneredFiles):
    """Noisy picture files with a clean one each.

    Args:
        name: the dataset's name.
        root: the folder.
        files: paths of the noisy pictures below it, then of those clean ones that have no noisy one.
        clean: paths of the clean pictures, in the same order; empty where there is no pair.
        splits: the given split of each file; None for one pool.
        notes: how the layout was told, and what was left out.
    """

    partner, fault = "clean picture", "partner"
    missing = ("a clean and a noisy picture of each name", "no partner of its name", "add it, or take this one away")

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
        super().__init__(name, "denoise", root, files, clean, splits=splits)
        self.notes = notes

    def target(self, index: int) -> Clean:
        """The clean picture, with 16 bits where it or its noisy one has them.

        Raises:
            PictureError: there is none, or it cannot be used.
        """
        content = self.partner_content(index)
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
        found = tuple(self._decoded(index, self.partner_content(index), 8).shape[1:])
        if found != size:
            words = f"{self.partners[index]} of {found[0]}x{found[1]} for a picture of {size[0]}x{size[1]}"
            raise PictureError("a clean picture of the noisy one's size", words, "make them of one size", "partner")

    def _decoded(self, index: int, content: bytes, depth: Literal[8, 16]) -> Picture:
        try:
            return decode(content, channels=self.mode, depth=depth)
        except PictureError as error:
            raise self.of_partner(index, error) from error


def _depth(content: bytes) -> Literal[8, 16]:
    return 16 if inspect(content).depth == 16 else 8
