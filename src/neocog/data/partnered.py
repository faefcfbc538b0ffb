"""Datasets of picture files with another file each: a mask, or a clean picture."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from neocog.data.compact import Names
from neocog.data.dataset import Split, TaskName, content_digest
from neocog.data.files import FileDataset, read_file
from neocog.errors import PictureError
from neocog.files import printable

__all__ = ["PartneredFiles"]


class PartneredFiles(FileDataset):
    """Picture files whose targets are files.

    Args:
        name: the dataset's name.
        task: what the targets are for.
        root: the folder.
        files: paths of the pictures below it.
        partners: paths of the targets, in the same order; empty where there is none.
        splits: the given split of each file; None for one pool.

    Attributes:
        partner: what a target's file is called in messages.
        fault: what a fault of one counts as; see `PictureError`.
        missing: what is expected, found and to be done where there is none.
    """

    partner: ClassVar[str]
    fault: ClassVar[str]
    missing: ClassVar[tuple[str, str, str]]

    def __init__(
        self,
        name: str,
        task: TaskName,
        root: Path,
        files: Sequence[str],
        partners: Sequence[str],
        *,
        splits: Sequence[Split | None] | None = None,
    ) -> None:
        super().__init__(printable(name), task, root, files, splits)
        self.partners = Names(partners)

    def target_mark(self, index: int) -> str:
        """The first eight bytes of the digest of the target's file; empty where it cannot be read."""
        try:
            return content_digest(self.partner_content(index)).hex()[:16]
        except PictureError:
            return ""

    def fingerprint(self) -> str:
        """As for all files, and of the targets' names and sizes in bytes."""
        digest = hashlib.blake2b(super().fingerprint().encode(), digest_size=16)
        for name, facts in self._partner_stats():
            digest.update(f"\n{-1 if facts is None else facts.st_size} {name}".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def partner_content(self, index: int) -> bytes:
        """The bytes of the target's file.

        Raises:
            PictureError: there is none, or it cannot be read.
        """
        if not self.partners[index]:
            raise PictureError(*self.missing, self.fault)
        try:
            return read_file(Path(str(self.root)) / self.partners[index])
        except PictureError as error:
            raise self.of_partner(index, error) from error

    def of_partner(self, index: int, error: PictureError) -> PictureError:
        """The same error, said of the target's file."""
        return PictureError(error.expected, f"its {self.partner} {self.partners[index]}: {error.found}", error.remedy, self.fault)

    def _partner_stats(self) -> Iterator[tuple[str, os.stat_result | None]]:
        for name in self.partners:
            try:
                yield name, (Path(str(self.root)) / name).stat() if name else None
            except OSError:
                yield name, None
