"""Confusion matrices: shades follow shares, counts fit their cells, names fit the sheet."""

import pytest
import torch

from neocog.draw.canvas import text_width
from neocog.draw.confusion import MARGIN, _lay_out, confusion_matrix
from neocog.draw.palette import RIGHT, WRONG, shade


def lay_out(matrix, names):
    return _lay_out(matrix.tolist(), names)


def corner_of_cell(picture, layout, row, column):
    """A pixel of the cell that no number covers."""
    return tuple(picture[:, layout.top + row * layout.cell + 1, layout.left + column * layout.cell + 1].tolist())


def test_each_cell_is_shaded_by_its_share_of_its_row():
    matrix = torch.tensor([[8, 2, 0], [0, 0, 5], [0, 0, 0]])
    names = ["cat", "dog", "bird"]
    picture, layout = confusion_matrix(matrix, names), lay_out(matrix, names)
    assert corner_of_cell(picture, layout, 0, 0) == shade(0.8, RIGHT)
    assert corner_of_cell(picture, layout, 0, 1) == shade(0.2, WRONG)
    assert corner_of_cell(picture, layout, 1, 2) == shade(1.0, WRONG) == WRONG
    assert corner_of_cell(picture, layout, 2, 2) == shade(0, RIGHT)  # a class without pictures


@pytest.mark.parametrize("count", [2, 10, 30, 31, 100])
def test_the_sheet_holds_every_cell_and_leaves_its_margins_free(count):
    matrix = torch.randint(0, 100_000, (count, count))
    names = [f"a class with the name {'i' * i}{i}" for i in range(count)]
    picture, layout = confusion_matrix(matrix, names, "A title"), lay_out(matrix, names)
    assert picture.shape[1] == layout.top + layout.cell * count + MARGIN
    assert picture.shape[2] >= layout.left + layout.cell * count + MARGIN
    for side in (picture[:, : MARGIN - 2], picture[:, -MARGIN:], picture[:, :, : MARGIN - 2], picture[:, :, 2 - MARGIN :]):
        assert (side == 255).all()


def test_up_to_a_hundred_classes_fit_a_screen_of_today():
    picture = confusion_matrix(torch.randint(0, 100, (100, 100)), [f"class {i}" for i in range(100)])
    assert max(picture.shape[1:]) < 2000


def test_cells_are_as_wide_as_the_largest_count():
    matrix = torch.full((3, 3), 1_234_567_890)
    assert lay_out(matrix, ["a", "b", "c"]).cell > text_width("1,234,567,890", 13)


def test_names_and_rows_must_agree():
    with pytest.raises(ValueError, match="expected 2 class names, found 1"):
        confusion_matrix(torch.zeros(2, 2, dtype=torch.int64), ["a"])
