"""images against Pillow and torchvision, and what becomes of files that are no good pictures."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms import functional as transforms

from neocog.errors import PictureError
from neocog.images import cover, decode, decode_mask, encode_png, inspect, read, resize, to_channels, to_pil

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


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WebP", "PPM"])
def test_lossless_formats_decode_to_pillows_pixels(kind):
    image = smooth() if kind != "GIF" else smooth().quantize(64)
    data = saved(image, kind, **({"lossless": True} if kind == "WebP" else {}))
    assert torch.equal(decode(data), rgb(image))


def test_jpeg_decodes_to_pillows_pixels():
    data = saved(smooth(), "JPEG", quality=90)
    assert torch.equal(decode(data), rgb(Image.open(io.BytesIO(data))))


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


def sixteen_bit_rgb():
    """A PNG file of 16 bits per colour, which Pillow cannot write."""
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return data, torch.from_numpy(values).permute(2, 0, 1)


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


def test_mask_of_palette_indices():
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(indices, "L").convert("P")
    image.putdata(indices.flatten().tolist())
    image.putpalette([255 - value for value in range(256 * 3 // 3) for _ in range(3)])
    assert torch.equal(decode_mask(saved(image, "PNG")).int(), torch.from_numpy(indices).int())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_mask_of_grey_values(dtype):
    values = (np.arange(12).reshape(3, 4) * (1 if dtype == np.uint8 else 5000)).astype(dtype)
    assert decode_mask(saved(Image.fromarray(values), "PNG")).tolist() == values.tolist()


def test_mask_of_colours():
    array = np.zeros((2, 2, 3), dtype=np.uint8)
    array[0, 1] = (255, 0, 0)
    data = saved(Image.fromarray(array), "PNG")
    assert decode_mask(data, colours={(0, 0, 0): 7, (255, 0, 0): 300}).tolist() == [[7, 300], [7, 7]]


@pytest.mark.parametrize(
    ("colours", "text"),
    [
        (
            None,
            "expected: a mask of class indices, or a table of its colours\nfound: a mask in RGB colours\nto do: give the colours' classes",
        ),
        (
            {(0, 0, 0): 0},
            "expected: colours of the given table\nfound: the colours #ff0000\nto do: add them to the table of colours",
        ),
    ],
)
def test_mask_of_unknown_colours(colours, text):
    array = np.zeros((2, 2, 3), dtype=np.uint8)
    array[0, 1] = (255, 0, 0)
    with pytest.raises(PictureError) as caught:
        decode_mask(saved(Image.fromarray(array), "PNG"), colours=colours)
    assert str(caught.value) == text


def test_mask_cut_short():
    with pytest.raises(PictureError) as caught:
        decode_mask(saved(smooth(channels=1), "PNG")[:80])
    assert caught.value.expected == "a whole PNG file"


def test_mask_is_turned_like_its_picture():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = saved(Image.fromarray(values), "PNG", exif=exif)
    assert torch.equal(decode_mask(data).int(), decode(data, channels="native")[0].int())
