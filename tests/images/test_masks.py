"""Masks: class or palette indices, and colours by a table."""

import numpy as np
import pytest
import torch
from PIL import Image

from images.made import ORIENTATION, saved, smooth
from neocog.errors import PictureError
from neocog.images import decode, decode_mask


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
