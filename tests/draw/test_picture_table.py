"""Rows of pictures: where each comes to lie, and what is refused."""

import pytest
import torch

from neocog.draw.picture_table import GAP, MARGIN, Row, picture_table


def plain(colour, size=(10, 10)):
    return torch.tensor(colour, dtype=torch.uint8)[:, None, None].expand(3, *size).contiguous()


RED, GREEN, BLUE = plain((255, 0, 0)), plain((0, 255, 0)), plain((0, 0, 255), (10, 20))


def boxes(sheet):
    """Left, top, right and bottom of what is purely red, green and blue."""
    found = []
    for channel in range(3):
        others = [other for other in range(3) if other != channel]
        inside = (sheet[channel] == 255) & (sheet[others[0]] == 0) & (sheet[others[1]] == 0)
        rows, columns = inside.nonzero().unbind(dim=1)
        found.append((columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1))
    return found


def test_columns_are_aligned_and_small_pictures_grow_by_whole_factors():
    sheet = picture_table([Row([RED, GREEN]), Row([RED, BLUE])], [["picture"], ["map", "more"]], title="Title", cell=100)
    red, green, blue = boxes(sheet)
    assert (red[0], red[2]) == (MARGIN, MARGIN + 100)
    assert (green[0], green[2] - green[0], green[3] - green[1]) == (MARGIN + 100 + GAP, 100, 100)
    assert (blue[0], blue[2] - blue[0], blue[3] - blue[1]) == (green[0], 100, 50)
    assert blue[1] == green[3] + GAP
    assert red[1] == green[1] > 40  # below the title and the heads


def test_rows_stand_abreast_under_their_own_heads():
    sheet = picture_table([Row([RED]), Row([GREEN])], [["picture"]], title="", cell=60, abreast=2)
    red, green, _ = _two(sheet)
    assert red[1] == green[1]
    assert green[0] - red[0] == 60 + 2 * GAP


def _two(sheet):
    marked = sheet.clone()
    marked[:, 0, 0] = torch.tensor([0, 0, 255], dtype=torch.uint8)  # so that there is some blue
    return boxes(marked)


def test_words_make_room_and_the_foot_is_below():
    bare = picture_table([Row([RED])], [["picture"]], title="t", cell=60)
    worded = picture_table([Row([RED], ["cat 98 %", "photo.jpg"])], [["picture"]], title="t", cell=60)
    footed = picture_table([Row([RED])], [["picture"]], title="t", foot=[GREEN, "a line"], cell=60)
    assert worded.shape[1] > bare.shape[1] + 25
    _, green, _ = _two(footed)
    assert green[1] >= bare.shape[1] - MARGIN


def test_the_sheet_is_as_wide_as_its_title_needs():
    sheet = picture_table([Row([RED])], [["picture"]], title="a rather long title that says much about so little", cell=60)
    assert sheet.shape[2] > 400
    assert (sheet[:, :, -MARGIN:] == 255).all()


@pytest.mark.parametrize("rows", [[], [Row([RED, RED])], [Row([RED]), Row([])]])
def test_every_row_has_a_picture_for_each_column(rows):
    with pytest.raises(ValueError, match="expected rows of 1 pictures, found"):
        picture_table(rows, [["picture"]], title="")
