"""What becomes of files that are no good pictures."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from images.made import png_claiming, saved, sixteen_bit_rgb, smooth
from neocog.errors import PictureError
from neocog.images import decode


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "PPM"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_file_cut_short_anywhere_is_refused_or_whole(kind, depth):
    whole = saved(smooth(16, 24), kind)
    picture = decode(whole, depth=depth)
    refused = 0
    for length in range(0, len(whole), max(1, len(whole) // 97)):
        try:
            part = decode(whole[:length], depth=depth)
        except PictureError:
            refused += 1
        else:
            assert torch.equal(part, picture)  # only what follows the pixels was missing
    assert refused > 80


def test_a_sixteen_bit_png_cut_short_is_refused():
    data, _ = sixteen_bit_rgb()
    for length in range(1, len(data) - 16, 7):
        with pytest.raises(PictureError):
            decode(data[:length], depth=16)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WebP"]), st.data())
def test_damaged_bytes_never_raise_anything_else(kind, data):
    whole = bytearray(saved(smooth(16, 24), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(whole), max_pixels=1_000_000)
    except PictureError:
        return
    assert picture.dtype == torch.uint8


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"", "empty", "expected: a picture\nfound: an empty file\nto do: replace the file or take it away"),
        (
            b"This is a letter.",
            "foreign",
            "expected: a picture in one of the formats JPEG, PNG, GIF, BMP, TIFF, WebP, PNM\n"
            "found: a file of another kind\nto do: convert the file or take it away",
        ),
        (
            png_claiming(30_000, 30_000),
            "bomb",
            "expected: a picture of at most 200,000,000 pixels\nfound: 30,000 by 30,000 pixels, which may be a decompression bomb\n"
            "to do: make the picture smaller or take it away",
        ),
        (
            saved(Image.fromarray(np.full((2, 2), 70_000, dtype=np.int32)), "TIFF"),
            "deep",
            "expected: 8 or 16 bits per channel\nfound: pixels of 32 bits\nto do: convert the picture to 16 bits",
        ),
        (
            saved(Image.fromarray(np.ones((2, 2), dtype=np.float32)), "TIFF"),
            "deep",
            "expected: 8 or 16 bits per channel\nfound: pixels that are floating-point numbers\nto do: convert the picture to 16 bits",
        ),
    ],
)
def test_what_is_no_picture_is_named(data, kind, text):
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.kind == kind
    assert str(caught.value) == text


def test_a_damaged_file_says_its_format():
    with pytest.raises(PictureError) as caught:
        decode(saved(smooth(), "JPEG")[:600])
    assert caught.value.expected == "a whole JPEG file"
    assert caught.value.found.startswith("damaged or cut short (")
    assert caught.value.kind == "damaged"


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(PictureError) as caught:
        decode(b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 0, 4, 1, 24, 0, 0, 0, 0, 0, 0))
    assert "pixels" in str(caught.value) or "damaged" in str(caught.value)


def test_a_bomb_is_refused_before_its_pixels_are_decoded(monkeypatch):
    def fail(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", fail)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(PictureError, match="bomb"):
        decode(png_claiming(30_000, 30_000))
