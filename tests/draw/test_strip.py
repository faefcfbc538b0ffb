"""Strips of pictures before and after."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.draw.strip import LONGEST_SIDE, difference, strip


def picture(height=30, width=40, channels=3, value=None):
    generator = torch.Generator().manual_seed(height)
    pixels = torch.randint(0, 256, (channels, height, width), generator=generator)
    return (pixels if value is None else torch.full_like(pixels, value)).to(torch.uint8)


def test_the_pictures_stand_beside_each_other_as_they_are():
    drawn = strip([picture(300, 250, value=10), picture(300, 250, channels=1, value=200)], ["before", "after\nsmaller"])
    assert drawn.dtype == torch.uint8
    assert drawn.shape[2] == 16 + 250 + 12 + 250 + 16
    assert (drawn[:, 16:316, 16:266] == 10).all()
    assert (drawn[:, 16:316, 278:528] == 200).all()


def test_small_ones_are_magnified_and_large_ones_shrunk():
    small = strip([picture(20, 20)], ["x"])
    assert small.shape[2] == 2 * 16 + 200
    large = strip([picture(900, 700)], ["x"])
    assert large.shape[1] < 32 + LONGEST_SIDE + 30


@pytest.mark.parametrize(("pictures", "captions"), [([], []), ([picture()], ["a", "b"])])
def test_a_caption_for_each(pictures, captions):
    with pytest.raises(ValueError, match=f"found {len(pictures)} pictures and {len(captions)} captions"):
        strip(pictures, captions)


def test_the_difference_is_magnified_until_it_is_seen():
    first, second = picture(value=104), picture(value=100)
    shown, gain = difference(first, second)
    assert gain == 16
    assert (shown == round(127.5 + 16 * 4)).all()
    shown, gain = difference(second, first)
    assert (shown == 127.5 - 64 + 0.5).all() or (shown == 64).all()
    assert difference(first, first)[1] == 1
    assert (difference(first, first)[0] == 128).all()


@given(st.integers(0, 255), st.integers(0, 255))
def test_large_differences_are_not_magnified_beyond_the_scale(first, second):
    shown, gain = difference(picture(4, 4, value=first), picture(4, 4, value=second))
    assert 1 <= gain <= 16
    expected = min(255, max(0, 127.5 + gain * (first - second)))
    assert abs(float(shown[0, 0, 0]) - expected) <= 0.5 + 1e-6


def test_depths_and_channels_may_differ():
    deep = (picture(channels=1).to(torch.int32) * 257).to(torch.uint16)
    shown, _ = difference(deep, picture(channels=1))
    assert (shown == 128).all()
    assert difference(picture(channels=1), picture(channels=3))[0].shape[0] == 3


def test_sizes_may_not():
    with pytest.raises(ValueError, match=r"expected pictures of one size, found \(30, 40\) and \(31, 40\)"):
        difference(picture(), picture(31))
