"""Figures: every panel is there pixel for pixel, and words keep to their places."""

import pytest
import torch

from neocog.draw.canvas import text_width
from neocog.draw.figure import GAP, MARGIN, NARROWEST, Panel, figure, in_lines


def plain(colour, height=20, width=30):
    return torch.tensor(colour, dtype=torch.uint8)[:, None, None].expand(3, height, width).contiguous()


def place(sheet, colour):
    """Top, left, height and width of what has a colour."""
    rows, columns = (sheet == torch.tensor(colour, dtype=torch.uint8)[:, None, None]).all(0).nonzero().T
    return rows.min().item(), columns.min().item(), len(rows.unique()), len(columns.unique())


def test_panels_stand_in_rows_pixel_for_pixel():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    panels = [Panel(plain(colours[0], 40, 50), "under"), Panel(plain(colours[1], 20, 30)), Panel(plain(colours[2], 10, 700), "", "above")]
    sheet = figure([panels[:2], [], panels[2:]], title="What is seen", notes=["black is 0"])
    first, second, third = (place(sheet, colour) for colour in colours)
    assert first[2:] == (40, 50)
    assert second[2:] == (20, 30)
    assert third[2:] == (10, 700)
    assert (first[1], second[1], third[1]) == (MARGIN, MARGIN + 50 + GAP, MARGIN)
    assert first[0] == second[0]
    assert third[0] > first[0] + 40 + GAP
    assert sheet.shape[2] == 700 + 2 * MARGIN
    assert (sheet[:, -MARGIN:] == 255).all()  # nothing is cut off below
    assert (sheet[:, :, :MARGIN] == 255).all()


def test_notes_of_any_length_find_room():
    note = "the share of what is seen " * 40
    sheet = figure([[Panel(plain((9, 9, 9)))]], title="Short", notes=[note])
    assert sheet.shape[2] == NARROWEST + 2 * MARGIN
    assert (sheet[:, :, -MARGIN:] == 255).all()
    assert sheet.shape[1] > 200


def test_without_a_panel_there_is_no_figure():
    with pytest.raises(ValueError, match=r"^expected at least one panel, found none$"):
        figure([[]], title="Nothing")


def test_text_is_broken_between_words():
    lines = in_lines("one two three four", 14, text_width("one two", 14))
    assert lines == ["one two", "three", "four"]
    assert in_lines("a\nb", 14, 500) == ["a", "b"]
    assert in_lines("", 14, 10) == []
    assert in_lines("incomprehensibilities", 14, 60)[0].endswith("…")
