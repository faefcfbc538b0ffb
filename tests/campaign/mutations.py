"""Ways in which the bytes of a file go bad, whatever the file is."""

from collections.abc import Callable, Sequence
from random import Random

__all__ = ["MAGICS", "Mutation", "damaged", "mutated", "overwritten"]

Mutation = Callable[[bytes, Random], bytes]

ODD_INTEGERS = (0, 1, 2, 7, 127, 128, 255, 256, 14_000, 32_767, 32_768, 65_535, 65_536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
HEAD = 96  # bytes in which headers tell sizes
MAGICS = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"RIFF\0\0\0\0WEBP",
    b"P6\n",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"\x80\x02",
    b"%PDF-1.7",
    b"<?xml",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\0\0\x08\x03",
)
UNTOUCHED = 0.08  # share of the cases in which nothing is wrong: these must give a value


def _place(data: bytes, random: Random) -> int:
    """An offset, in half of the cases within the header."""
    return random.randrange(min(len(data), HEAD) if random.random() < 0.5 else len(data)) if data else 0


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, min(len(data), start + random.choice((1, 2, 4, 16, 64, 512, 4096)))


def truncated(data: bytes, random: Random) -> bytes:
    """Cut short."""
    return data[: random.randrange(len(data) + 1)]


def flipped(data: bytes, random: Random) -> bytes:
    """A few bits are wrong."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 3, 20)) if data else 0):
        changed[_place(data, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, random: Random) -> bytes:
    """A number of one, two or four bytes is another, as a size may be."""
    width = random.choice((1, 2, 4))
    start = _place(data, random)
    number = random.choice(ODD_INTEGERS) & ((1 << 8 * width) - 1)
    return data[:start] + number.to_bytes(width, random.choice(("little", "big"))) + data[start + width :]


def randomised(data: bytes, random: Random) -> bytes:
    """A part is noise."""
    start, stop = _span(data, random)
    return data[:start] + random.randbytes(stop - start) + data[stop:]


def zeroed(data: bytes, random: Random) -> bytes:
    """A part is zeros, as after a failed copy."""
    start, stop = _span(data, random)
    return data[:start] + bytes(stop - start) + data[stop:]


def cut_out(data: bytes, random: Random) -> bytes:
    """A part is missing."""
    start, stop = _span(data, random)
    return data[:start] + data[stop:]


def doubled(data: bytes, random: Random) -> bytes:
    """A part stands there twice."""
    start, stop = _span(data, random)
    return data[:stop] + data[start:]


def exchanged(data: bytes, random: Random) -> bytes:
    """The end stands before the beginning."""
    start = _place(data, random)
    return data[start:] + data[:start]


def extended(data: bytes, random: Random) -> bytes:
    """Something follows that does not belong there."""
    return data + random.choice((b"\0", data, random.randbytes(100), bytes(100_000)))


def beheaded(data: bytes, random: Random) -> bytes:
    """The first bytes are another format's."""
    magic = random.choice(MAGICS)
    return magic + data[len(magic) if random.random() < 0.7 else 0 :]


def emptied(data: bytes, random: Random) -> bytes:
    """Nothing is left, or only zeros."""
    return random.choice((b"", b"\0", bytes(len(data)), b"\n"))


BYTES: tuple[Mutation, ...] = (
    truncated,
    flipped,
    flipped,
    overwritten,
    overwritten,
    randomised,
    zeroed,
    cut_out,
    doubled,
    exchanged,
    extended,
    beheaded,
    emptied,
)


def damaged(data: bytes, random: Random, particular: Sequence[Mutation] = ()) -> bytes:
    """One thing wrong, sometimes two or three; half of the time one that the format has a mutation for."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(particular if particular and random.random() < 0.5 else BYTES)(data, random)
    return data


def mutated(data: bytes, random: Random, particular: Sequence[Mutation] = ()) -> bytes:
    """As `damaged`, but for a few that stay as they are."""
    return data if random.random() < UNTOUCHED else damaged(data, random, particular)
