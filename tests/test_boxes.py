"""Geometry of boxes, against torchvision and by hand."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from neocog.boxes import area, clip, transform

BOXES = torch.tensor([[1.0, 2, 5, 9], [-3, -4, 2, 1], [0, 0, 20, 20], [4, 4, 4, 8]])


def test_area_is_torchvision_s():
    assert torch.equal(area(BOXES), ops.box_area(BOXES))
    assert area(torch.tensor([[5.0, 5, 3, 9]])).tolist() == [0]  # turned inside out
    assert area(torch.zeros(0, 4)).shape == (0,)


def test_clip_is_torchvision_s():
    assert torch.equal(clip(BOXES, 10, 8), ops.clip_boxes_to_image(BOXES, (10, 8)))


def test_a_quarter_turn():
    turn = torch.tensor([[0.0, -1, 10], [1, 0, 0], [0, 0, 1]])
    assert transform(BOXES[:1], turn).tolist() == [[1, 1, 8, 5]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_the_hull_touches_every_moved_corner(numbers):
    matrix = torch.tensor([*numbers, 0, 0, 1], dtype=torch.float32).view(3, 3)
    x1, y1, x2, y2 = transform(BOXES[:1], matrix)[0].tolist()
    corners = [(matrix @ torch.tensor([x, y, 1.0]))[:2].tolist() for x in (1.0, 5.0) for y in (2.0, 9.0)]
    assert math.isclose(x1, min(x for x, _ in corners), abs_tol=1e-4)
    assert math.isclose(x2, max(x for x, _ in corners), abs_tol=1e-4)
    assert math.isclose(y1, min(y for _, y in corners), abs_tol=1e-4)
    assert math.isclose(y2, max(y for _, y in corners), abs_tol=1e-4)
