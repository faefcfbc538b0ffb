"""Masks: class or palette indices, and colours by a table."""

import numpy as np
import pytest
import torch
from PIL import Image

from images.made import ORIENTATION, saved, smooth
from neocog.errors import PictureError
from neocog.images import decode, decode_mask, encode_png


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


@pytest.mark.parametrize("opacity", [7, bytes([0, 128, 255])])
def test_opacity_does_not_count(opacity):
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    data = saved(image, "PNG", transparency=opacity)
    assert decode_mask(data).tolist() == [[0, 1, 2]]
    assert decode_mask(data, colours={(0, 0, 0): 7, (255, 0, 0): 8, (0, 255, 0): 9}).tolist() == [[7, 8, 9]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_by_colours(mode):
    values = np.array([[0, 1]], dtype=np.uint16) if mode == "I;16" else np.array([[0, 255]], dtype=np.uint8)
    image = Image.fromarray(values) if mode == "I;16" else Image.fromarray(values).convert(mode)
    shown = (1, 1, 1) if mode == "I;16" else (255, 255, 255)
    assert decode_mask(saved(image, "PNG"), colours={shown: 3, (0, 0, 0): 4}).tolist() == [[4, 3]]


def test_grey_of_16_bits_is_no_colour():
    with pytest.raises(PictureError) as caught:
        decode_mask(saved(Image.fromarray(np.array([[0, 256]], dtype=np.uint16)), "PNG"), colours={(0, 0, 0): 0})
    assert str(caught.value) == "expected: colours of the given table\nfound: grey of 16 bits\nto do: save the mask with 8 bits"


def test_numbers_in_channels_of_16_bits_are_not_cut_to_their_upper_halves():
    picture = torch.arange(4, dtype=torch.int32).to(torch.uint16).reshape(1, 2, 2).expand(3, -1, -1)
    with pytest.raises(PictureError, match="a mask in RGB colours"):
        decode_mask(encode_png(picture.contiguous()))


def test_a_format_that_changes_numbers():
    with pytest.raises(PictureError) as caught:
        decode_mask(saved(smooth(channels=1), "JPEG"))
    assert caught.value.kind == "lossy"
    assert str(caught.value) == (
        "expected: a mask in a format that keeps numbers\nfound: JPEG, which changes them\nto do: save masks as PNG"
    )


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
