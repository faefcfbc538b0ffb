"""Pictures that the tests of decoding make."""

import io
import struct
import zlib

import numpy as np
import torch
from PIL import Image

__all__ = ["ORIENTATION", "png_claiming", "rgb", "saved", "sixteen_bit_rgb", "smooth"]

ORIENTATION = 0x0112


def smooth(height=48, width=64, channels=3, seed=0):
    """A picture that survives JPEG and resizing: low frequencies only."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 8, channels) if channels > 1 else (6, 8), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rgb(image):
    return torch.from_numpy(np.asarray(image.convert("RGB")).transpose(2, 0, 1).copy())


def png_claiming(width, height):
    """A PNG file whose header claims a size, with next to no data."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def sixteen_bit_rgb():
    """A PNG file of 16 bits per colour, which Pillow cannot write."""
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return data, torch.from_numpy(values).permute(2, 0, 1)
