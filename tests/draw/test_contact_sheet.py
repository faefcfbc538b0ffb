"""Contact sheets: every picture is there, whole, and nothing is cut off."""

import pytest
import torch

from neocog.draw.contact_sheet import GAP, MARGIN, contact_sheet


def plain(red, green, blue, height=10, width=10):
    return torch.tensor([red, green, blue], dtype=torch.uint8)[:, None, None].expand(3, height, width).contiguous()


def count(sheet, picture):
    return int((sheet == picture[:, :1, :1]).all(dim=0).sum())


def test_every_picture_is_there_in_full():
    pictures = [plain(200, 0, 0), plain(0, 200, 0, height=20, width=40), plain(0, 0, 200, height=400, width=200)]
    sheet = contact_sheet(pictures, cell=40, columns=2)
    assert sheet.dtype == torch.uint8
    assert count(sheet, pictures[0]) == 40 * 40
    assert count(sheet, pictures[1]) == 20 * 40
    assert count(sheet, pictures[2]) == 40 * 20


def test_size_follows_columns_and_rows():
    sheet = contact_sheet([plain(0, 0, 0)] * 5, cell=40, columns=3)
    assert sheet.shape == (3, 2 * MARGIN + 2 * 40 + GAP, 2 * MARGIN + 3 * 40 + 2 * GAP)


def test_pictures_follow_one_another_from_left_to_right():
    pictures = [plain(40 * i, 0, 0) for i in range(5)]
    sheet = contact_sheet(pictures, cell=10, columns=3)
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    read = [int(sheet[0, MARGIN + row * (10 + GAP) + 5, MARGIN + column * (10 + GAP) + 5]) for row, column in places]
    assert read == [0, 40, 80, 120, 160]


def test_long_captions_and_titles_leave_the_margins_free():
    sheet = contact_sheet(
        [plain(9, 9, 9)] * 2,
        ["a caption far too long for its cell\nand another line of it"] * 2,
        title="A title that is wider than two cells",
        cell=50,
    )
    assert (sheet[:, :, :MARGIN] == 255).all()
    assert (sheet[:, :, -MARGIN:] == 255).all()
    assert (sheet[:, -MARGIN:] == 255).all()
    between = sheet[:, :, MARGIN + 50 + 1 : MARGIN + 50 + GAP - 1]
    assert (between[:, 60:] == 255).all()  # below the title


def test_a_row_is_no_higher_than_its_pictures():
    wide = plain(1, 2, 3, height=10, width=100)
    assert contact_sheet([wide], cell=100).shape == (3, 2 * MARGIN + 10, 2 * MARGIN + 100)


@pytest.mark.parametrize(("pictures", "captions"), [(0, 0), (2, 1)])
def test_captions_must_be_as_many_as_pictures(pictures, captions):
    message = f"expected pictures with a caption each or none, found {pictures} pictures and {captions} captions"
    with pytest.raises(ValueError, match=message):
        contact_sheet([plain(0, 0, 0)] * pictures, ["a"] * captions)
