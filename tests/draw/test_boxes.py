"""Boxes: outlines at their pixels, in their colours, with names inside the picture."""

import pytest
import torch

from neocog.draw.boxes import draw_boxes
from neocog.draw.palette import class_colour
from neocog.targets import Boxes

NAMES = ["circle", "square", "a class with a name that is much too long"]


def grey(height, width):
    return torch.full((3, height, width), 120, dtype=torch.uint8)


def colour(index):
    return torch.tensor(class_colour(index), dtype=torch.uint8)


def boxes(corners, classes, outlines=()):
    return Boxes(torch.tensor(corners, dtype=torch.float32).reshape(-1, 4), torch.tensor(classes, dtype=torch.int64), outlines)


def test_the_first_and_last_pixels_of_a_box_have_its_colour():
    drawn = draw_boxes(grey(300, 400), boxes([[50, 100, 150, 200]], [1]), NAMES)
    for y, x in ((100, 50), (100, 149), (199, 50), (199, 149), (150, 50), (150, 149), (199, 100)):
        assert torch.equal(drawn[:, y, x], colour(1)), (y, x)
    for y, x in ((150, 49), (150, 150), (200, 100), (150, 100)):
        assert torch.equal(drawn[:, y, x], torch.tensor([120, 120, 120], dtype=torch.uint8)), (y, x)


def test_small_pictures_are_magnified_with_their_boxes():
    drawn = draw_boxes(grey(60, 80), boxes([[10, 20, 30, 40]], [0]), NAMES)
    assert drawn.shape == (3, 240, 320)
    assert torch.equal(drawn[:, 159, 40], colour(0))
    assert torch.equal(drawn[:, 120, 119], colour(0))


def test_no_boxes_leave_the_picture_as_it_is():
    assert torch.equal(draw_boxes(grey(300, 300), boxes([], []), NAMES), grey(300, 300))


def test_the_surer_box_lies_over_the_less_sure_one():
    both = boxes([[100, 100, 200, 200], [100, 100, 200, 200]], [0, 1])
    assert torch.equal(draw_boxes(grey(300, 300), both, NAMES, torch.tensor([0.9, 0.2]))[:, 199, 150], colour(0))
    assert torch.equal(draw_boxes(grey(300, 300), both, NAMES, torch.tensor([0.2, 0.9]))[:, 199, 150], colour(1))


def test_an_outline_is_drawn_along_its_points():
    outline = torch.tensor([[100.0, 100.0], [200.0, 200.0], [100.0, 200.0]])
    drawn = draw_boxes(grey(300, 300), boxes([[100, 100, 200, 200]], [1], (outline,)), NAMES)
    assert torch.equal(drawn[:, 150, 150], colour(1))


@pytest.mark.parametrize("corners", [[0, 0, 30, 30], [250, 250, 300, 300], [290, 0, 300, 10], [-20, -20, 400, 400], [5, 5, 5, 5]])
def test_names_stay_inside_and_boxes_may_leave_the_picture(corners):
    drawn = draw_boxes(grey(300, 300), boxes([corners], [2]), NAMES)
    assert drawn.shape == (3, 300, 300)
    label = (drawn == colour(2)[:, None, None]).all(dim=0)
    rows = label.sum(dim=1) > 150  # the label is wide, and filled
    assert rows.sum() >= 6
