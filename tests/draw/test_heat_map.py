"""Colours over a picture, against values that are known."""

import pytest
import torch

from neocog.draw.heat_map import colour_bar, heat_map


def grey(level=128, size=(20, 30)):
    return torch.full((3, *size), level, dtype=torch.uint8)


def warmth(pixel):
    red, _, blue = pixel.tolist()
    return red - blue


def test_where_nothing_counts_the_picture_is_grey_and_pale():
    colourful = torch.stack([torch.full((20, 30), level, dtype=torch.uint8) for level in (250, 20, 90)])
    drawn = heat_map(colourful, torch.zeros(20, 30))
    assert drawn.dtype == torch.uint8
    assert drawn.shape == (3, 20, 30)
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[1] == drawn[2]).all()
    assert 190 < drawn[0, 0, 0] < 235


def test_warm_for_cold_against_and_the_stronger_the_fuller():
    values = torch.zeros(20, 30)
    values[0, :10], values[1, :10], values[2, :10] = 1, 0.3, -1
    drawn = heat_map(grey(), values)
    strong, weak, against, nothing = (drawn[:, row, 0].long() for row in range(4))
    assert warmth(strong) > 80
    assert warmth(weak) > 40
    assert warmth(against) < -60
    assert warmth(nothing) == 0
    assert strong.sum() < weak.sum() < nothing.sum()


def test_a_map_is_scaled_by_itself_and_a_few_points_do_not_set_the_scale():
    values = torch.rand(20, 30)
    assert torch.equal(heat_map(grey(), values), heat_map(grey(), 1e-6 * values))
    spiked = values.clone()
    spiked[0, 0] = 1e9
    assert (heat_map(grey(), spiked).float() - heat_map(grey(), values).float()).abs().mean() < 3


def test_a_single_point_is_seen():
    values = torch.zeros(20, 30)
    values[5, 5] = 1e-3
    assert warmth(heat_map(grey(), values)[:, 5, 5].long()) > 80


def test_grey_pictures_of_one_channel_are_taken_too():
    assert heat_map(grey()[:1], torch.rand(20, 30)).shape == (3, 20, 30)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"expected a map of \(20, 30\), found \(20, 31\)"):
        heat_map(grey(), torch.zeros(20, 31))


@pytest.mark.parametrize("signed", [True, False])
def test_the_bar_shows_the_same_colours_between_its_words(signed):
    bar = colour_bar(400, signed=signed, low="against", high="for")
    middle = bar[:, bar.shape[1] // 2]
    assert bar.shape[2] == pytest.approx(400, abs=2)
    coloured = [column for column in range(bar.shape[2]) if abs(warmth(middle[:, column].long())) > 20]
    left, right = (warmth(middle[:, column].long()) for column in (coloured[0], coloured[-1]))
    assert right > 80
    assert (left < -60) == signed
