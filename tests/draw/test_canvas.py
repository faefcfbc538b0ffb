"""Pictures to Pillow and back, and text that keeps to its place."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.draw.canvas import blank, enlarged, fit_into, shorten, text_width, to_image, to_picture, write
from neocog.draw.palette import PAPER


def test_colour_pictures_survive_the_way_to_pillow_and_back():
    picture = torch.randint(0, 256, (3, 5, 7), dtype=torch.uint8)
    assert torch.equal(to_picture(to_image(picture)), picture)


def test_grey_pictures_get_three_equal_channels():
    picture = torch.randint(0, 256, (1, 5, 7), dtype=torch.uint8)
    assert torch.equal(to_picture(to_image(picture)), picture.expand(3, 5, 7))


def test_sixteen_bits_keep_their_upper_byte():
    picture = torch.tensor([[[0, 0x1234, 0xFFFF]]], dtype=torch.uint16)
    assert to_picture(to_image(picture))[0].tolist() == [[0, 0x12, 0xFF]]


def test_enlarged_repeats_each_pixel():
    picture = torch.randint(0, 256, (3, 8, 10), dtype=torch.uint8)
    image, factor = enlarged(picture, 20)
    assert factor == 3
    assert torch.equal(to_picture(image), picture.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2))


@given(height=st.integers(1, 400), width=st.integers(1, 400))
def test_fit_into_keeps_inside_and_touches_a_side_when_it_shrinks(height, width):
    image = fit_into(torch.zeros(1, height, width, dtype=torch.uint8), (60, 90))
    assert image.width <= 90
    assert image.height <= 60
    if height > 60 or width > 90:
        assert image.width == 90 or image.height == 60
    else:
        assert image.width % width == 0
        assert image.width // width == image.height // height


@given(text=st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "Zs")), max_size=60), width=st.integers(0, 200))
def test_shortened_text_fits(text, width):
    shown = shorten(text, 14, width)
    assert text_width(shown, 14) <= width
    assert shown in ("", text) or text.startswith(shown[:-1])


def test_text_that_fits_is_not_shortened():
    assert shorten("cat", 14, text_width("cat", 14)) == "cat"
    assert shorten("a cat with a long name", 14, 60).endswith("…")


@pytest.mark.parametrize("anchor", ["la", "ra", "mm"])
def test_written_text_stays_within_its_width(anchor):
    image = blank((60, 300), PAPER)
    write(image, (150, 20), "Neocognitron", 14, anchor=anchor)
    columns = (to_picture(image) != 255).any(dim=0).any(dim=0).nonzero().flatten()
    width = text_width("Neocognitron", 14)
    left = {"la": 150, "ra": 150 - width, "mm": 150 - width / 2}[anchor]
    assert left - 2 <= columns.min()
    assert columns.max() <= left + width + 2
