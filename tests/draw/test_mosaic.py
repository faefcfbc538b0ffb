import pytest
import torch

from neocog.draw.mosaic import cell_for, centred, grey_ramp, mosaic, shades, signed_shades, squarish


def test_numbers_become_shades_in_proportion():
    picture = shades(torch.tensor([[0.0, 1.0], [2.0, 3.0]]), 0, 2)
    assert picture.tolist() == [[[0, 128], [255, 255]]]
    assert shades(torch.zeros(2, 2), 0, 0).max() == 0  # a silent map is black


def test_grey_is_zero_and_the_ends_are_the_scale():
    picture = signed_shades(torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])[None, None], 2.0)
    assert picture[0, 0].tolist() == [0, 64, 128, 191, 255]
    assert (signed_shades(torch.zeros(3, 2, 2), 0.0) == 128).all()
    with pytest.raises(ValueError, match=r"^expected 1 or 3 channels, found 2$"):
        signed_shades(torch.zeros(2, 3, 3), 1.0)


def test_pictures_stand_in_rows_and_in_the_middle_of_their_squares():
    pictures = [torch.full((1, 2, 2), 50 * number, dtype=torch.uint8) for number in range(1, 4)]
    sheet = mosaic(pictures, columns=2, cell=5, gap=1)
    assert sheet.shape == (3, 11, 11)
    for number, (top, left) in enumerate([(0, 0), (0, 6), (6, 0)], start=1):
        assert (sheet[:, top : top + 4, left : left + 4] == 50 * number).all()  # twice as large, which fits 5
    assert (sheet[:, 6:, 6:] == 255).all()
    with pytest.raises(ValueError, match=r"^expected at least one picture, found none$"):
        mosaic([], 2, 5)


def test_the_ramp_goes_from_black_to_white_between_its_words():
    ramp = grey_ramp(["-1", "0", "1"], width=101)
    row = ramp[0, 0].tolist()
    start = row.index(0)
    assert row[start : start + 101] == torch.linspace(0, 255, 101).round().int().tolist()
    assert (ramp[:, 12:, :] < 200).any()  # words


def test_grids_are_about_square():
    assert [squarish(count) for count in (1, 2, 4, 9, 10, 64)] == [1, 2, 2, 3, 4, 8]


def test_squares_are_filled_by_whole_multiples():
    assert [cell_for(side, 100) for side in (3, 28, 100, 224)] == [99, 84, 100, 100]


def test_smaller_pictures_stand_in_the_middle_at_the_same_scale():
    sheet = centred(torch.full((1, 2, 4), 7, dtype=torch.uint8), 6)
    assert sheet.shape == (3, 6, 6)
    assert (sheet[:, 2:4, 1:5] == 7).all()
    assert (sheet == 7).all(0).sum() == 8
    assert centred(torch.zeros(1, 9, 3, dtype=torch.uint8), 6).shape == (3, 9, 9)
