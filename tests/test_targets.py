"""Targets of several pictures, brought into a batch's form."""

import pytest
import torch

from neocog.targets import Boxes, BoxLists, Clean, Cleans, Label, Labels, Mask, Masks, stack


def test_labels():
    labels = stack([Label(3), Label(0)])
    assert isinstance(labels, Labels)
    assert labels.classes.tolist() == labels.others.tolist() == [3, 0]
    assert labels.share.tolist() == [1, 1]
    assert labels.classes.data_ptr() != labels.others.data_ptr()


def test_boxes_stay_lists_with_outlines_of_any_length():
    outlines = (torch.zeros(3, 2), torch.zeros(0, 2))
    boxes = Boxes(torch.tensor([[0.0, 0, 1, 1], [0, 0, 2, 2]]), torch.tensor([1, 2]), outlines)
    empty = Boxes(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    lists = stack([boxes, empty])
    assert isinstance(lists, BoxLists)
    assert lists.pictures == (boxes, empty)


def test_masks_are_padded_with_void():
    masks = stack([Mask(torch.ones(2, 3, dtype=torch.uint16), void=11), Mask(torch.full((3, 1), 2, dtype=torch.uint16), void=11)])
    assert isinstance(masks, Masks)
    assert masks.void == 11
    assert masks.classes.tolist() == [[[1, 1, 1], [1, 1, 1], [11, 11, 11]], [[2, 11, 11], [2, 11, 11], [2, 11, 11]]]
    assert stack([Mask(torch.zeros(1, 1, dtype=torch.uint16))]).void == 65535


def test_clean_pictures_are_padded_with_black():
    cleans = stack([Clean(torch.full((1, 1, 2), 9, dtype=torch.uint8)), Clean(torch.full((1, 2, 1), 7, dtype=torch.uint8))])
    assert isinstance(cleans, Cleans)
    assert cleans.pixels.tolist() == [[[[9, 9], [0, 0]]], [[[7, 0], [7, 0]]]]


def test_kinds_do_not_mix():
    with pytest.raises(TypeError, match=r"expected targets of one kind, found \['Label', 'Mask'\]"):
        stack([Label(1), Mask(torch.zeros(1, 1, dtype=torch.uint16))])
