"""Instances that move, are cut, or leave."""

import pytest
import torch

from neocog.augment.instances import move_boxes
from neocog.boxes import transform
from neocog.targets import Boxes


def shift(dx, dy):
    return torch.tensor([[1.0, 0, dx], [0, 1, dy], [0, 0, 1]])


def one(corners, outlines=()):
    return Boxes(torch.tensor([corners]), torch.tensor([4]), outlines)


def test_a_box_inside_is_the_hull_of_its_corners():
    boxes = Boxes(torch.tensor([[10.0, 12, 20, 25], [30, 30, 33, 31]]), torch.tensor([0, 1]))
    matrix = torch.tensor([[0.8, -0.3, 12], [0.4, 0.7, 3], [0, 0, 1]])
    assert torch.allclose(move_boxes(boxes, matrix, (64, 64), 0.25).corners, transform(boxes.corners, matrix), atol=1e-5)


def test_what_stands_over_is_cut():
    moved = move_boxes(one([10.0, 10, 20, 20]), shift(-14, 0), (32, 32), 0.25)
    assert moved.corners.tolist() == [[0, 10, 6, 20]]


@pytest.mark.parametrize(("dx", "kept"), [(-17.4, 1), (-17.6, 0), (-40, 0)])
def test_an_instance_goes_when_too_little_is_visible(dx, kept):
    moved = move_boxes(one([10.0, 10, 20, 20]), shift(dx, 0), (32, 32), 0.25)
    assert len(moved.corners) == len(moved.classes) == kept


def test_an_outline_gives_a_tighter_box_than_the_corners():
    diamond = torch.tensor([[15.0, 10], [20, 15], [15, 20], [10, 15]])
    turn = torch.tensor([[2**-0.5, -(2**-0.5), 15], [2**-0.5, 2**-0.5, -5], [0, 0, 1]])
    by_outline = move_boxes(one([10.0, 10, 20, 20], (diamond,)), turn, (64, 64), 0.25)
    by_corners = move_boxes(one([10.0, 10, 20, 20]), turn, (64, 64), 0.25)
    width = by_outline.corners[0, 2] - by_outline.corners[0, 0]
    assert torch.isclose(width, torch.tensor(50.0).sqrt())  # the diamond's own side
    assert torch.isclose(by_corners.corners[0, 2] - by_corners.corners[0, 0], torch.tensor(200.0).sqrt())
    assert len(by_outline.outlines[0]) == 4


def test_outlines_are_cut_at_the_border():
    diamond = torch.tensor([[5.0, 0], [10, 5], [5, 10], [0, 5]])
    moved = move_boxes(one([0.0, 0, 10, 10], (diamond,)), shift(-5, 0), (32, 32), 0.25)
    assert moved.corners.tolist() == [[0, 0, 5, 10]]
    assert moved.outlines[0][:, 0].min() == 0


def test_instances_without_outline_among_those_with_one():
    boxes = Boxes(
        torch.tensor([[0.0, 0, 4, 4], [4, 4, 8, 8]]), torch.tensor([0, 1]), (torch.zeros(0, 2), torch.tensor([[4.0, 4], [8, 4], [8, 8]]))
    )
    moved = move_boxes(boxes, shift(1, 1), (16, 16), 0.25)
    assert moved.corners.tolist() == [[1, 1, 5, 5], [5, 5, 9, 9]]
    assert [len(outline) for outline in moved.outlines] == [0, 3]


def test_boxes_without_extent_are_dropped():
    assert len(move_boxes(one([5.0, 5, 5, 9]), shift(0, 0), (16, 16), 0.25).corners) == 0


def test_no_boxes_at_all():
    moved = move_boxes(Boxes(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)), shift(1, 0), (16, 16), 0.25)
    assert moved.corners.shape == (0, 4)
    assert moved.classes.dtype == torch.int64
