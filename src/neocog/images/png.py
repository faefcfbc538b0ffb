"""Pictures as PNG files, with what another file says of the picture besides its pixels."""

import io
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image

from neocog.images.picture import Picture, to_pil
from neocog.images.reading import EXIF_ORIENTATION, open_image

__all__ = ["Chunk", "encode_png", "metadata_of"]

Chunk = tuple[bytes, bytes]
"""A part of a PNG file: its four letters, and its content."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
AFTER_HEADER = len(SIGNATURE) + 25  # the first chunk is of 13 bytes, between 12 of its frame
KEPT = (b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"eXIf", b"pHYs", b"iTXt", b"tEXt", b"zTXt")
DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 33432)  # of TIFF: description, make, model, software, date, artist, copyright
EXIF_HEAD = b"Exif\0\0"
INCHES_A_METRE = 1 / 0.0254
XMP = b"XML:com.adobe.xmp\0\0\0\0\0"
UP = 2  # the filter of a row: what is stored is the difference to the row above


def encode_png(picture: Picture, metadata: tuple[Chunk, ...] = ()) -> bytes:
    """The bytes of a PNG file with all bits of the picture.

    Args:
        picture: grey or RGB, of 8 or 16 bits per channel.
        metadata: from `metadata_of`.
    """
    if picture.dtype == torch.uint16 and len(picture) == 3:
        plain = _sixteen_bit_colours(picture)
    else:
        deep = picture.dtype == torch.uint16
        file = io.BytesIO()
        (Image.fromarray(picture[0].cpu().numpy()) if deep else to_pil(picture)).save(file, format="PNG")
        plain = file.getvalue()
    if not metadata:
        return plain
    parts = memoryview(plain)
    return b"".join((parts[:AFTER_HEADER], *(_framed(*chunk) for chunk in metadata), parts[AFTER_HEADER:]))


def metadata_of(data: bytes) -> tuple[Chunk, ...]:
    """What a picture's file says besides its pixels: colour profile, resolution, EXIF and texts, as parts of a PNG file.

    The EXIF orientation is left out, because pictures are decoded upright. A profile for printing inks is left out too.
    What cannot be read is left out.

    Args:
        data: a picture file that can be decoded.
    """
    image, name = open_image(data)
    chunks = _chunks_of_png(data) if name == "PNG" else _chunks_of(image, name)
    upright = ((kind, _without_orientation(content) if kind == b"eXIf" else content) for kind, content in chunks)
    return tuple((kind, content) for kind, content in upright if content)


def _chunks_of_png(data: bytes) -> Iterator[Chunk]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind in KEPT and len(content) == length:
            yield kind, content
        at += length + 12


def _chunks_of(image: Any, name: str) -> Iterator[Chunk]:
    info: dict[str, Any] = image.info
    profile = info.get("icc_profile")
    if profile and image.mode != "CMYK":
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)
    resolution = [float(value) * INCHES_A_METRE for value in info.get("dpi", ())]
    if len(resolution) == 2 and all(math.isfinite(value) and 0.5 <= value < 2**31 for value in resolution):
        yield b"pHYs", struct.pack(">IIB", *map(round, resolution), 1)
    exif = _exif_of_tiff(image) if name == "TIFF" else info.get("exif", b"")
    if exif:
        yield b"eXIf", exif.removeprefix(EXIF_HEAD)
    if isinstance(info.get("xmp"), bytes):
        yield b"iTXt", XMP + info["xmp"]
    comment = info.get("comment", b"")
    if comment:
        text = comment.encode() if isinstance(comment, str) else comment
        yield b"iTXt", b"Comment\0\0\0\0\0" + text.decode(errors="replace").replace("\0", "").encode()


def _exif_of_tiff(image: Any) -> bytes:
    """The tags that describe the picture; the others say how its own file is laid out."""
    kept = Image.Exif()
    for tag, value in image.getexif().items():
        if tag in DESCRIPTIVE:
            kept[tag] = value
    return kept.tobytes() if len(kept) else b""


def _without_orientation(exif: bytes) -> bytes:
    """The same EXIF for a picture that is upright; empty where it is broken."""
    try:
        known = Image.Exif()
        known.load(EXIF_HEAD + exif)
        if EXIF_ORIENTATION not in known:
            return exif
        del known[EXIF_ORIENTATION]
        return known.tobytes().removeprefix(EXIF_HEAD)
    except MemoryError:
        raise
    except Exception:  # a parser fed with damaged bytes may raise anything, and the pixels are fine
        return b""


def _sixteen_bit_colours(picture: Picture) -> bytes:
    """Which Pillow cannot write."""
    _, height, width = picture.shape
    rows = np.ascontiguousarray(picture.cpu().numpy().transpose(1, 2, 0), dtype=">u2").reshape(height, -1).view(np.uint8)
    filtered = np.full((height, 1 + rows.shape[1]), UP, dtype=np.uint8)
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b""))
    return SIGNATURE + b"".join(_framed(*part) for part in parts)


def _framed(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
