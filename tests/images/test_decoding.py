"""Decoding, resizing and encoding, against Pillow and torchvision."""

import io
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms import functional as transforms

from images.made import ORIENTATION, rgb, saved, sixteen_bit_rgb, smooth
from neocog.images import cover, decode, encode_png, inspect, read, reading, resize, to_channels, to_pil


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WebP", "PPM"])
def test_lossless_formats_decode_to_pillows_pixels(kind):
    image = smooth() if kind != "GIF" else smooth().quantize(64)
    data = saved(image, kind, **({"lossless": True} if kind == "WebP" else {}))
    assert torch.equal(decode(data), rgb(image))


def test_jpeg_decodes_to_pillows_pixels():
    data = saved(smooth(), "JPEG", quality=90)
    assert torch.equal(decode(data), rgb(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("at_once", [1, 500, 10**6])
def test_a_large_picture_is_taken_over_some_rows_at_a_time(monkeypatch, at_once):
    monkeypatch.setattr(reading, "PIXELS_AT_ONCE", at_once)
    monkeypatch.setattr("neocog.images.picture.PIXELS_AT_ONCE", at_once)
    found = decode(saved(smooth(), "PNG"))
    assert torch.equal(found, rgb(smooth()))
    assert to_pil(found).tobytes() == smooth().tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone_as_pillow_does(kind, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = saved(smooth(), kind, exif=exif)
    upright = rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    picture, facts = read(data)
    assert torch.equal(picture, upright)
    assert (facts.height, facts.width) == tuple(upright.shape[1:])
    assert inspect(data).height == facts.height


def test_an_impossible_orientation_is_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 77
    assert decode(saved(smooth(), "JPEG", exif=exif)).shape == (3, 48, 64)


def test_png_whose_orientation_stands_behind_its_pixels():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = saved(smooth(), "PNG", exif=exif)
    start = data.index(b"eXIf") - 4
    length = struct.unpack(">I", data[start : start + 4])[0] + 12
    end = data.index(b"IEND") - 4
    moved = data[:start] + data[start + length : end] + data[start : start + length] + data[end:]
    picture, facts = read(moved)
    assert torch.equal(picture, decode(data))
    assert (facts.height, facts.width) == (64, 48)


def test_cmyk_jpeg_becomes_rgb():
    image = smooth().convert("CMYK")
    data = saved(image, "JPEG", quality=95)
    picture, facts = read(data)
    assert facts.cmyk
    assert torch.equal(picture, rgb(Image.open(io.BytesIO(data))))
    assert (picture.int() - rgb(image).int()).abs().float().mean() < 4


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WebP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [smooth(seed=0).quantize(32).convert("RGB"), smooth(seed=1).quantize(32).convert("RGB")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WebP" else {}))
    picture, facts = read(data)
    assert facts.animated
    assert torch.equal(picture, rgb(Image.open(io.BytesIO(data))))
    assert (picture.int() - rgb(frames[0]).int()).abs().float().mean() < 3
    assert not inspect(saved(frames[0], kind)).animated


def test_an_animation_cut_short_behind_its_first_frame_is_fine():
    frames = [smooth(seed=0).quantize(32), smooth(seed=1).quantize(32)]
    whole = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert torch.equal(decode(whole[:-40]), decode(whole))


def test_sixteen_bit_grey():
    values = (np.arange(48 * 64, dtype=np.uint16) * 20).reshape(48, 64)
    data = saved(Image.fromarray(values), "PNG")
    assert torch.equal(decode(data, channels="native", depth=16)[0], torch.from_numpy(values))
    assert torch.equal(decode(data, channels="native")[0], torch.from_numpy((values >> 8).astype(np.uint8)))
    assert decode(data).shape == (3, 48, 64)
    assert inspect(data).depth == 16


def test_sixteen_bit_grey_tiff():
    values = (np.arange(48 * 64, dtype=np.uint16) * 20).reshape(48, 64)
    assert torch.equal(decode(saved(Image.fromarray(values), "TIFF"), channels="native", depth=16)[0], torch.from_numpy(values))


def test_sixteen_bit_rgb_keeps_all_bits():
    data, values = sixteen_bit_rgb()
    assert torch.equal(decode(data, depth=16), values)
    assert torch.equal(decode(data), (values.int() >> 8).to(torch.uint8))
    assert inspect(data).depth == 16


def test_eight_bits_spread_over_sixteen():
    data = saved(smooth(), "PNG")
    assert torch.equal(decode(data, depth=16).int(), decode(data).int() * 257)


def test_transparency_lies_over_white():
    array = np.zeros((4, 4, 4), dtype=np.uint8)
    array[..., 0], array[..., 3] = 200, 128
    expected = Image.alpha_composite(Image.new("RGBA", (4, 4), "white"), Image.fromarray(array))
    assert torch.equal(decode(saved(Image.fromarray(array), "PNG")), rgb(expected))


def test_a_palettes_transparent_entry_becomes_white():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((0, 0), 0)
    picture = decode(saved(image, "PNG", transparency=1))
    assert picture[:, 0, 0].tolist() == [255, 0, 0]
    assert picture[:, 1, 1].tolist() == [255, 255, 255]


def test_one_pixel():
    picture, facts = read(saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"))
    assert picture.flatten().tolist() == [1, 2, 3]
    assert (facts.height, facts.width) == (1, 1)
    assert cover(picture, (8, 8)).shape == (3, 8, 8)


def test_grey_is_told_and_kept():
    data = saved(smooth(channels=1), "JPEG")
    assert inspect(data).channels == 1
    assert decode(data, channels="native").shape[0] == decode(data, channels="grey").shape[0] == 1
    grey = decode(data, channels="grey")
    assert torch.equal(decode(data), grey.expand(3, -1, -1))


def test_grey_of_colour_is_pillows_luma():
    data = saved(smooth(), "PNG")
    expected = torch.from_numpy(np.asarray(smooth().convert("L")).copy())
    assert torch.equal(decode(data, channels="grey")[0], expected)
    assert torch.equal(to_channels(decode(data), 1), decode(data, channels="grey"))
    assert torch.equal(to_channels(decode(data, channels="grey"), 3), decode(data, channels="grey").expand(3, -1, -1))


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 120), st.integers(1, 120), st.integers(1, 8), st.booleans())
def test_a_scaled_jpeg_still_covers_what_was_asked_for(height, width, least_height, least_width, orientation, grey):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = saved(Image.new("RGB", (width, height), "green"), "JPEG", exif=exif)
    full, facts = read(data, channels="grey" if grey else "rgb")
    picture = decode(data, channels="grey" if grey else "rgb", at_least=(least_height, least_width))
    assert picture.shape[1] >= min(least_height, full.shape[1])
    assert picture.shape[2] >= min(least_width, full.shape[2])
    assert (facts.height, facts.width) == tuple(full.shape[1:])


def test_a_large_jpeg_is_scaled_while_decoding():
    data = saved(smooth(960, 1280), "JPEG", quality=90)
    picture, facts = read(data, at_least=(100, 100))
    assert tuple(picture.shape) == (3, 120, 160)
    assert (facts.height, facts.width) == (960, 1280)
    plain = resize(decode(data), (120, 160))
    assert (picture.int() - plain.int()).abs().float().mean() < 2


@pytest.mark.parametrize(("height", "width"), [(96, 128), (131, 97), (64, 64), (33, 200), (480, 360)])
@pytest.mark.parametrize("canvas", [(64, 64), (48, 80)])
def test_cover_is_resize_and_centre_crop(height, width, canvas):
    image = smooth(height, width)
    scale = max(canvas[0] / height, canvas[1] / width)
    size = [max(canvas[0], round(height * scale)), max(canvas[1], round(width * scale))]
    expected = transforms.center_crop(transforms.resize(image, size, antialias=True), list(canvas))
    difference = (cover(rgb(image), canvas).int() - rgb(expected).int()).abs()
    assert difference.max() <= 1


def test_cover_of_a_thread_does_not_fill_the_memory():
    thread = torch.arange(60_000, dtype=torch.int64).div(300, rounding_mode="floor").to(torch.uint8).repeat(3, 1, 1)
    covered = cover(thread, (224, 224))
    assert tuple(covered.shape) == (3, 224, 224)
    assert (covered == 100).all() or set(covered.unique().tolist()) <= {99, 100}


@pytest.mark.parametrize("size", [(30, 40), (100, 90)])
def test_resize_is_pillows(size):
    image = smooth(96, 128)
    expected = rgb(image.resize(size[::-1], Image.Resampling.BILINEAR))
    assert (resize(rgb(image), size).int() - expected.int()).abs().max() <= 1


def test_resize_keeps_sixteen_bits():
    picture = torch.full((1, 8, 8), 40_000, dtype=torch.uint16)
    assert (resize(picture, (4, 4)) == 40_000).all()
    assert resize(picture, (4, 4)).dtype == torch.uint16


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trip(channels):
    picture = torch.randint(0, 256, (channels, 9, 11), dtype=torch.uint8)
    assert torch.equal(decode(encode_png(picture), channels="native"), picture)
    assert to_pil(picture).mode == ("L" if channels == 1 else "RGB")


def test_png_round_trip_of_sixteen_bits():
    picture = torch.arange(0, 63_000, 500, dtype=torch.int32).to(torch.uint16).reshape(1, 9, 14)
    assert torch.equal(decode(encode_png(picture), channels="native", depth=16), picture)
