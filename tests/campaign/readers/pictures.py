"""Pictures of each format, and masks."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Any

from campaign.case import Case, Reader, Wrong
from campaign.mutations import Mutation, damaged, mutated

__all__ = ["READERS", "originals", "sample"]

EXIF_ORIENTATION = 0x0112
SIZES = (0, 1, 2, 7, 8, 255, 4096, 14_000, 65_535, 65_536, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
COLOURS = {(red, green, 0): red + green for red in range(3) for green in range(3)}


def _image(mode: str, height: int = 13, width: int = 17) -> Any:
    import numpy as np
    from PIL import Image

    numbers = np.random.default_rng(height)
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray(numbers.integers(0, 65536, (height, width)).astype(kind))
    return Image.fromarray(numbers.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def _saved(image: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _exif(orientation: int) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    exif[0x010F] = "maker"
    return exif.tobytes()


@cache
def originals(kind: str) -> tuple[bytes, ...]:
    """Good files of a format, of its modes and forms."""
    return tuple(_FORMS[kind]())


def _jpegs() -> list[bytes]:
    files = [_saved(_image(mode), "JPEG", quality=90) for mode in ("L", "RGB", "CMYK")]
    files += [_saved(_image("RGB", 40, 33), "JPEG", progressive=True, subsampling=sampling) for sampling in (0, 2)]
    return files + [_saved(_image("RGB"), "JPEG", exif=_exif(orientation)) for orientation in (1, 3, 6, 8)]


def _pngs() -> list[bytes]:
    files = [_saved(_image(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    files += [_deep_png(colour_type) for colour_type in (2, 6)]
    files.append(_saved(_image("P"), "PNG", transparency=3))
    files.append(_saved(_image("RGB"), "PNG", save_all=True, append_images=[_image("RGB", 13, 17)]))
    return [*files, _saved(_image("RGB"), "PNG", exif=_exif(6))]


def _deep_png(colour_type: int, height: int = 5, width: int = 6) -> bytes:
    """16 bits in each of three or four channels, which Pillow does not write."""
    channels = {2: 3, 6: 4}[colour_type]
    rows = b"".join(b"\0" + Random(row).randbytes(width * channels * 2) for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return _png([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def _tiffs() -> list[bytes]:
    files = [_saved(_image(mode), "TIFF") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I;16", "I", "F")]
    files += [_saved(_image("RGB"), "TIFF", compression=how) for how in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")]
    files += [_saved(_image("RGB"), "TIFF", tiffinfo={EXIF_ORIENTATION: orientation}) for orientation in (3, 6)]
    return [*files, _saved(_image("L"), "TIFF", save_all=True, append_images=[_image("L")])]


def _others(kind: str, modes: tuple[str, ...], **options: Any) -> list[bytes]:
    return [_saved(_image(mode), kind, **options) for mode in modes]


_FORMS: dict[str, Callable[[], list[bytes]]] = {
    "jpeg": _jpegs,
    "png": _pngs,
    "gif": lambda: [*_others("GIF", ("L", "P")), _saved(_image("P"), "GIF", save_all=True, append_images=[_image("P", 13, 17)] * 2)],
    "bmp": lambda: _others("BMP", ("1", "L", "P", "RGB", "RGBA")),
    "tiff": _tiffs,
    "webp": lambda: [
        *_others("WEBP", ("RGB", "RGBA")),
        *_others("WEBP", ("RGB", "RGBA"), lossless=True),
        _saved(_image("RGB"), "WEBP", save_all=True, append_images=[_image("RGB")]),
    ],
    "pnm": lambda: [
        *_others("PPM", ("1", "L", "RGB", "I;16")),
        b"P2 2 2 255 1 2 3 4\n",
        b"P3\n# a note\n1 2\n15\n1 2 3 4 5 6\n",
        b"P1 2 2 1 0 0 1",
    ],
}


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Of a PNG file: names and contents, up to what is no chunk."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = (struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content)) for name, content in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _png_header(data: bytes, random: Random) -> bytes:
    """Another size, depth, colour type or interlacing, with a right checksum."""
    chunks = _chunks(data)
    if not chunks or len(chunks[0][1]) != 13:
        return data
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
    place = random.randrange(7)
    fields[place] = random.choice(SIZES) if place < 2 else random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return _png([(chunks[0][0], struct.pack(">IIBBBBB", *fields)), *chunks[1:]])


def _png_chunk(data: bytes, random: Random) -> bytes:
    """A chunk that is damaged, missing, doubled, elsewhere or of another name, with right checksums."""
    chunks = _chunks(data)
    if not chunks:
        return data
    place = random.randrange(len(chunks))
    name, content = chunks.pop(place)
    again = {
        "damaged": [(name, damaged(content, random))],
        "missing": [],
        "doubled": [(name, content)] * 2,
        "renamed": [
            (random.choice((b"tRNS", b"PLTE", b"eXIf", b"iCCP", b"zTXt", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"IEND", b"iTXt")), content)
        ],
        "packed anew": [(name, zlib.compress(random.randbytes(random.choice((0, 10, 5000)))))],
        "a bomb": [(b"zTXt", b"note\0\0" + zlib.compress(bytes(5_000_000))), (name, content)],
    }
    chunks[place:place] = again[random.choice(sorted(again))]
    return _png(chunks)


def _jpeg_size(data: bytes, random: Random) -> bytes:
    """Another height or width, or number of components."""
    start = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    offset, width = random.choice(((5, 2), (7, 2), (9, 1), (4, 1), (11, 1)))
    number = random.choice(SIZES) & ((1 << 8 * width) - 1)
    return data[: start + offset] + number.to_bytes(width, "big") + data[start + offset + width :] if start > 0 else data


def _jpeg_exif(data: bytes, random: Random) -> bytes:
    """EXIF that is damaged, in place of what is there."""
    exif = damaged(b"Exif\0\0" + _exif(random.randrange(10)).removeprefix(b"Exif\0\0"), random)[:60_000]
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def _tiff_tag(data: bytes, random: Random) -> bytes:
    """A tag of another number, type, count or value."""
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    if not 0 < count < 100:
        return data
    entry = start + 2 + 12 * random.randrange(count)
    offset, width = random.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2), (8, 4)))
    number = random.choice((*SIZES, *range(20), 256, 257, 258, 259, 262, 273, 277, 278, 279, 338)) & ((1 << 8 * width) - 1)
    return data[: entry + offset] + number.to_bytes(width, "little") + data[entry + offset + width :]


def _pnm_header(data: bytes, random: Random) -> bytes:
    """Other numbers in the header."""
    parts = data.split(None, 4)
    if len(parts) < 4:
        return data
    parts[random.randrange(4)] = random.choice(
        (b"0", b"-1", b"1", b"255", b"65535", b"65536", b"9" * 30, b"1e3", b"#", b"P6", b"14000", b"\xff")
    )
    return b"\n".join(parts)


PARTICULAR: dict[str, tuple[Mutation, ...]] = {
    "jpeg": (_jpeg_size, _jpeg_exif),
    "png": (_png_header, _png_chunk, _png_chunk),
    "tiff": (_tiff_tag,),
    "pnm": (_pnm_header,),
}


def sample(random: Random) -> bytes:
    """A good picture of any format."""
    return random.choice(originals(random.choice(sorted(_FORMS))))


def _write(case: Case, kind: str) -> None:
    random = case.random
    data = random.choice(originals(kind))
    if random.random() < 0.05:  # the pixels of one file behind the header of another
        other = sample(random)
        data = data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]
    (case.given / "picture").write_bytes(mutated(data, random, PARTICULAR.get(kind, ())))


def _read(case: Case) -> None:
    from neocog.images import decode, inspect
    from neocog.images.reading import read

    data, random = (case.given / "picture").read_bytes(), case.random
    channels, depth = random.choice(("rgb", "grey", "native")), random.choice((8, 16))
    at_least = random.choice((None, (1, 1), (4, 6), (1000, 1000)))
    first = inspect(data)
    picture, facts = read(data, channels=channels, depth=depth)
    height, width = picture.shape[-2:]
    _must((height, width) == (facts.height, facts.width), f"{picture.shape} of {facts}")
    _must({first.height, first.width} == {height, width}, f"{picture.shape} of {first}")
    _must(str(picture.dtype) == f"torch.uint{depth}", f"{picture.dtype} at depth {depth}")
    _must(len(picture) == {"rgb": 3, "grey": 1, "native": facts.channels}[channels], f"{len(picture)} channels for {channels} of {facts}")
    if at_least is not None:
        smaller = decode(data, channels=channels, depth=depth, at_least=at_least)
        covers = all(got >= min(wanted, full) for got, wanted, full in zip(smaller.shape[1:], at_least, (height, width), strict=True))
        _must(covers, f"{smaller.shape} for at least {at_least} of {picture.shape}")


def _write_mask(case: Case) -> None:
    random = case.random
    kind = random.choice(sorted(_FORMS))
    data = random.choice(originals(kind))
    if random.random() < 0.2:
        data = _coloured_mask()
    (case.given / "mask").write_bytes(mutated(data, random, PARTICULAR.get(kind, ())))


@cache
def _coloured_mask() -> bytes:
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 3, (9, 7, 3), dtype=np.uint8)
    pixels[..., 2] = 0
    return _saved(Image.fromarray(pixels), "PNG")


def _read_mask(case: Case) -> None:
    from neocog.images import decode_mask, inspect

    data = (case.given / "mask").read_bytes()
    mask = decode_mask(data, colours=case.random.choice((None, COLOURS)))
    facts = inspect(data)
    _must({*mask.shape} == {facts.height, facts.width}, f"{mask.shape} of {facts}")


def _must(holds: bool, text: str) -> None:
    if not holds:
        raise Wrong(text)


READERS = (
    *(Reader(kind, partial(_write, kind=kind), _read, large=True) for kind in _FORMS),
    Reader("mask", _write_mask, _read_mask, large=True),
)
