"""Keeps gathered pixels on disk when they would fill the memory; the second training decodes nothing.

Three files below the cache folder, each written whole or not at all:

    pixels/<content>.u8             the rows
    pixels/<content>.safetensors    sizes, digests, checksums of the rows, faults and notes
    pixels/<state>.key              which content belongs to a folder's unchanged files

The content is a hash of the pictures' own hashes; the state one of their paths, sizes, times of change and places
on the disk, which is known without reading them.
"""

import hashlib
import json
import os
import re
import shutil
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from neocog.data.compact import Digests
from neocog.data.dataset import Dataset
from neocog.data.files import FileDataset
from neocog.data.survey import Fault, Note, Survey
from neocog.errors import SurroundingsError
from neocog.files import PART, replacing
from neocog.images import Interpolation, Size
from neocog.machine import cache_folder

__all__ = ["PixelCache"]

VERSION = 3  # of decoding, resizing and of the files' form
ROWS_CHECKED = 1000
STALE_AFTER = 24 * 3600  # seconds after which a part that nobody finished is deleted
GIB = 1 << 30
PASSING = ("missing", "unreadable")  # faults of the disk or of rights, not of the picture


class PixelCache:
    """The cached pixels of one dataset at one canvas.

    Args:
        dataset: whose pixels.
        canvas: height and width.
        channels: 1 or 3.
        interpolation: filter of the resizing.
    """

    def __init__(self, dataset: Dataset, canvas: Size, channels: int, interpolation: Interpolation = "bilinear") -> None:
        self.dataset = dataset
        self._made = f"{VERSION} {interpolation} {dataset.channels}"
        self.shape = (len(dataset), channels, *canvas)
        self.folder = cache_folder() / "pixels"
        self._key = self.folder / f"{self._state()}.key"

    def load(self) -> tuple[Tensor, Survey] | None:
        """The pixels and what the pass had found, if the files are as they were when it was made."""
        try:
            return self._load(self._key.read_text())
        except (OSError, ValueError):  # there is none, or it is damaged
            return None

    def has_candidates(self) -> bool:
        """Whether pixels of this count and size lie here, so that hashing all pictures could spare decoding them."""
        return any(self.folder.glob(f"*-{self._name()}.u8"))

    def load_by_content(self, digests: Sequence[bytes]) -> tuple[Tensor, Survey] | None:
        """As `load`, for files that were moved or touched and still have the same content."""
        content = self._content(digests)
        found = self._load(content)
        if found is not None:
            self._remember(content, found[1])
        return found

    def write(self, run: Callable[[Callable[[int, Tensor], None]], Survey]) -> tuple[Tensor, Survey]:
        """Write the rows that a pass hands over, and open what was written.

        Args:
            run: makes the pass; it is given a function that takes an index and its row.

        Raises:
            SurroundingsError: the disk has no room.
        """
        row_bytes = self._bytes() // self.shape[0]
        checksums = torch.full(self.shape[:1], zlib.crc32(bytes(row_bytes)))  # of rows that stay black
        try:
            self._prepare()
            unnamed = self.folder / f".{uuid.uuid4().hex}{PART}"  # its name is its content, not known yet
            with replacing(unnamed) as file:
                file.truncate(self._bytes())
                survey = run(_writer(file, row_bytes, checksums))
            content = self._content(survey.digests)
            unnamed.replace(self._pixels(content))
            with replacing(self._index(content)) as file:
                file.write(_packed(survey, checksums))
            self._remember(content, survey)
        except OSError as error:
            raise SurroundingsError("room for decoded pictures", f"{self.folder}: {error.strerror}", self._remedy()) from error
        return self._map(content), survey

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in self.folder.glob(f".*{PART}"):
            if time.time() - part.stat().st_mtime > STALE_AFTER:
                part.unlink(missing_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self._bytes():
            found = f"{free / GIB:.1f} GiB free in {self.folder}"
            raise SurroundingsError(f"{self._bytes() / GIB:.1f} GiB for decoded pictures", found, self._remedy())

    def _remedy(self) -> str:
        return "free some space, set NEOCOG_CACHE to a folder on another disk, or choose a smaller image size"

    def _load(self, content: str) -> tuple[Tensor, Survey] | None:
        if not re.fullmatch(f"[0-9a-f]{{32}}-{self._name()}", content):
            return None
        pixels, index = self._pixels(content), self._index(content)
        if not index.is_file() or not pixels.is_file() or pixels.stat().st_size != self._bytes():
            return None
        try:
            survey, checksums = _unpacked(index)
        except Exception:  # whatever is wrong with what was kept, the pictures are there to be read anew
            return None
        rows = self._map(content)
        return (rows, survey) if self._sound(rows, checksums) else None

    def _sound(self, rows: Tensor, checksums: Tensor) -> bool:
        """Whether an evenly spaced sample of the rows is as it was written."""
        count = self.shape[0]
        if len(checksums) != count:
            return False
        checked = sorted({i * count // ROWS_CHECKED for i in range(ROWS_CHECKED)} if count > ROWS_CHECKED else range(count))
        return all(zlib.crc32(rows[i].numpy().data.cast("B")) == int(checksums[i]) for i in checked)

    def _map(self, content: str) -> Tensor:
        flat = torch.from_file(str(self._pixels(content)), shared=False, size=self._bytes(), dtype=torch.uint8)
        return flat.view(self.shape)

    def _remember(self, content: str, survey: Survey) -> None:
        """Find these rows by the state of the files; not where another state of the disk alone would show other pictures."""
        if any(fault.kind in PASSING for fault in survey.faults):
            return
        with replacing(self._key) as file:
            file.write(content.encode())

    def _pixels(self, content: str) -> Path:
        return self.folder / f"{content}.u8"

    def _index(self, content: str) -> Path:
        return self.folder / f"{content}.safetensors"

    def _name(self) -> str:
        return "x".join(map(str, self.shape))

    def _bytes(self) -> int:
        count, channels, height, width = self.shape
        return count * channels * height * width

    def _content(self, digests: Sequence[bytes]) -> str:
        digest = hashlib.blake2b(self._made.encode(), digest_size=16)
        for where, own in zip(self.dataset.wheres(), digests, strict=True):
            digest.update(f"\n{own.hex()} {where}".encode(errors="surrogateescape"))
        return f"{digest.hexdigest()}-{self._name()}"

    def _state(self) -> str:
        digest = hashlib.blake2b(f"{self._made} {self._name()}".encode(), digest_size=16)
        if isinstance(self.dataset, FileDataset) and self.dataset.root is not None:
            digest.update(str(self.dataset.root.resolve()).encode(errors="surrogateescape"))
            for name, facts in self.dataset.stats():
                digest.update(f"{_state_of(facts)} {name}".encode(errors="surrogateescape"))
        else:
            digest.update(f"\n{self.dataset.fingerprint()}".encode())
        return digest.hexdigest()


def _state_of(facts: os.stat_result | None) -> str:
    return "\n-" if facts is None else f"\n{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns} {facts.st_ino}"


def _writer(file: BinaryIO, row_bytes: int, checksums: Tensor) -> Callable[[int, Tensor], None]:
    lock = threading.Lock()

    def write(index: int, row: Tensor) -> None:
        data = row.contiguous().numpy().data.cast("B")
        checksums[index] = zlib.crc32(data)
        with lock:
            file.seek(index * row_bytes)
            file.write(data)

    return write


def _packed(survey: Survey, checksums: Tensor) -> bytes:
    tensors = {
        "sizes": survey.sizes,
        "channels": survey.channels,
        "digests": torch.from_numpy(survey.digests.rows),
        "read": torch.from_numpy(survey.digests.known),
        "checksums": checksums,
    }
    found: dict[str, Any] = {"faults": [asdict(fault) for fault in survey.faults], "notes": [asdict(note) for note in survey.notes]}
    return save(tensors, {"neocog": json.dumps({**found, "checksum": _checksum(tensors, found)})})


def _unpacked(index: Path) -> tuple[Survey, Tensor]:
    with safetensors.safe_open(str(index), framework="pt") as file:
        found = json.loads((file.metadata() or {})["neocog"])
        tensors = {name: file.get_tensor(name) for name in ("sizes", "channels", "digests", "read", "checksums")}
    if found.pop("checksum") != _checksum(tensors, found):
        raise ValueError(f"{index} is not as it was written")
    digests = Digests.of_rows(tensors["digests"].numpy(), tensors["read"].numpy())
    faults, notes = [Fault(**fault) for fault in found["faults"]], [Note(**note) for note in found["notes"]]
    return Survey(tensors["sizes"], tensors["channels"], digests, faults, notes), tensors["checksums"]


def _checksum(tensors: dict[str, Tensor], found: dict[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(found, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().data.cast("B"))
    return digest.hexdigest()
