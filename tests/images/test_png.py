"""PNG files keep every bit of a picture, and what another file said of it."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from neocog.images import decode, encode_png, metadata_of

PROFILE = b"not a real profile, but kept as it is" * 20


def random_picture(channels, depth, size=(13, 17), seed=0):
    array = np.random.default_rng(seed).integers(0, 2**depth, (channels, *size))
    return torch.from_numpy(array.astype(np.uint8 if depth == 8 else np.uint16))


def exif_of(**tags):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[int(tag.removeprefix("t"))] = value
    return exif


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@given(st.sampled_from([1, 3]), st.sampled_from([8, 16]), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 99))
def test_every_bit_comes_back(channels, depth, size, seed):
    picture = random_picture(channels, depth, size, seed)
    again = decode(encode_png(picture), channels="native", depth=depth)
    assert again.dtype == picture.dtype
    assert torch.equal(again.to(torch.int32), picture.to(torch.int32))


def test_sixteen_bit_colours_are_read_by_pillow_too():
    picture = random_picture(3, 16)
    assert np.array_equal(np.asarray(opened(encode_png(picture))).transpose(2, 0, 1), (picture.numpy() >> 8).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("depth", [8, 16])
def test_profile_resolution_and_exif_go_along(kind, depth):
    file = io.BytesIO()
    exif = exif_of(t315="An artist", t274=6)
    options = {} if kind == "WEBP" else {"dpi": (300, 150)}
    Image.new("RGB", (8, 6)).save(file, kind, icc_profile=PROFILE, exif=exif, **options)
    written = opened(encode_png(random_picture(3, depth), metadata_of(file.getvalue())))
    assert written.info["icc_profile"] == PROFILE
    assert written.getexif()[315] == "An artist"
    assert 274 not in written.getexif()  # pictures are decoded upright
    if kind != "WEBP":
        assert written.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_texts_of_a_png_go_along():
    file, texts = io.BytesIO(), PngImagePlugin.PngInfo()
    texts.add_text("Title", "Cells", zip=False)
    texts.add_text("Notes", "long " * 100, zip=True)
    texts.add_itxt("Autor", "Käthe", lang="de")
    Image.new("L", (5, 5)).save(file, "PNG", pnginfo=texts)
    written = opened(encode_png(random_picture(1, 16), metadata_of(file.getvalue())))
    assert written.text == {"Title": "Cells", "Notes": "long " * 100, "Autor": "Käthe"}


def test_comments_of_jpeg_and_gif_become_texts():
    for kind in ("JPEG", "GIF"):
        file = io.BytesIO()
        Image.new("L", (5, 5)).save(file, kind, comment=b"taken at dawn")
        assert opened(encode_png(random_picture(1, 8), metadata_of(file.getvalue()))).text == {"Comment": "taken at dawn"}


def test_a_profile_for_inks_is_left_out():
    file = io.BytesIO()
    Image.new("CMYK", (5, 5)).save(file, "JPEG", icc_profile=PROFILE)
    assert not any(kind == b"iCCP" for kind, _ in metadata_of(file.getvalue()))


def test_what_is_broken_is_left_out():
    file = io.BytesIO()
    Image.new("L", (5, 5)).save(file, "PNG")
    data = file.getvalue()
    broken = struct.pack(">I", 9) + b"eXIf" + b"not EXIF!" + struct.pack(">I", zlib.crc32(b"eXIfnot EXIF!"))
    cut = data[:33] + broken + data[33:] + struct.pack(">I", 4000) + b"tEXtcut"
    assert metadata_of(cut) == ()


def test_nothing_said_nothing_kept():
    file = io.BytesIO()
    Image.new("L", (5, 5)).save(file, "BMP")
    assert all(kind == b"pHYs" for kind, _ in metadata_of(file.getvalue()))
