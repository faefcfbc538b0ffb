"""Sequences of many short values in a few arrays: as many Python objects would take several times the memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeGuard, overload

import numpy as np
from jaxtyping import Bool, UInt8

__all__ = ["DIGEST_BYTES", "Digests", "Names"]

DIGEST_BYTES = 16
CODING = "utf-8", "surrogatepass"  # whatever a file's name holds comes back as it was


class Names(Sequence[str]):
    """Strings one after another in one buffer: their own bytes, and 8 more for each.

    Args:
        names: in their order.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        text, self._ends = bytearray(), array("q", [0])
        end, note = 0, self._ends.append
        for name in names:
            data = name.encode(*CODING)
            text += data
            note(end := end + len(data))
        self._text = bytes(text)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return self._text[self._ends[i] : self._ends[i + 1]].decode(*CODING)

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self._ends[1:]:
            yield self._text[start:end].decode(*CODING)
            start = end

    def __eq__(self, other: object) -> bool:
        return _is_sequence(other) and _equal(self, other)

    __hash__ = None  # type: ignore[assignment]


class Digests(Sequence[bytes]):
    """Digests of pictures, 17 bytes each; that of a picture that could not be read is empty.

    Args:
        digests: in their order.

    Attributes:
        rows: of each picture; 0 for an empty one.
        known: which are not empty.
    """

    rows: UInt8[np.ndarray, "n b"]
    known: Bool[np.ndarray, "n"]

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        given = list(digests)
        self.rows = np.zeros((len(given), DIGEST_BYTES), dtype=np.uint8)
        self.known = np.zeros(len(given), dtype=np.bool_)
        for index, digest in enumerate(given):
            self.put(index, digest)

    @classmethod
    def of_rows(cls, rows: UInt8[np.ndarray, "n b"], known: Bool[np.ndarray, "n"]) -> "Digests":
        """With these arrays, which are not copied."""
        made = cls()
        made.rows, made.known = rows, known
        return made

    @classmethod
    def empty(cls, count: int) -> "Digests":
        """So many empty ones, to be put in."""
        return cls.of_rows(np.zeros((count, DIGEST_BYTES), dtype=np.uint8), np.zeros(count, dtype=np.bool_))

    def put(self, index: int, digest: bytes) -> None:
        """Set the digest of a picture."""
        self.known[index] = bool(digest)
        if digest:
            self.rows[index] = np.frombuffer(digest, dtype=np.uint8)

    def groups(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """A number for each picture, the same for equal digests."""
        text = self.rows.view(f"S{DIGEST_BYTES}")[:, 0]  # of one length: zeros at the end, which such strings do not count, tell none apart
        return np.unique(text, return_inverse=True)[1].astype(np.int64, copy=False)

    def __len__(self) -> int:
        return len(self.known)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return self.rows[i].tobytes() if self.known[i] else b""

    def __eq__(self, other: object) -> bool:
        return _is_sequence(other) and _equal(self, other)

    __hash__ = None  # type: ignore[assignment]


def _is_sequence(other: object) -> TypeGuard[Sequence[object]]:
    return isinstance(other, Sequence) and not isinstance(other, str | bytes)


def _equal(own: Sequence[object], other: Sequence[object]) -> bool:
    return len(own) == len(other) and all(one == two for one, two in zip(own, other, strict=True))
