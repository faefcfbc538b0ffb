"""Masks: classes in their colours, void untouched, a legend of what occurs."""

import pytest
import torch

from neocog.draw.mask import draw_mask
from neocog.draw.palette import class_colour
from neocog.targets import Mask


def mask(rows, void=None):
    return Mask(torch.tensor(rows, dtype=torch.uint16), void)


def halves(height=240, width=300):
    classes = torch.zeros(height, width, dtype=torch.int64)
    classes[:, width // 2 :] = 2
    return classes.to(torch.uint16)


def test_colours_are_mixed_with_the_picture():
    picture = torch.full((3, 240, 300), 100, dtype=torch.uint8)
    drawn = draw_mask(picture, Mask(halves()), ["sky", "road", "tree"], opacity=0.25)
    for x, index in ((10, 0), (290, 2)):
        expected = 0.75 * 100 + 0.25 * torch.tensor(class_colour(index), dtype=torch.float32)
        assert (drawn[:, 100, x].float() - expected).abs().max() <= 0.5


def test_void_stays_as_it_is():
    picture = torch.randint(0, 256, (3, 240, 300), dtype=torch.uint8)
    drawn = draw_mask(picture, Mask(halves(), void=2), ["sky", "road"])
    assert torch.equal(drawn[:, :240, 150:], picture[:, :, 150:])
    assert not torch.equal(drawn[:, :240, :150], picture[:, :, :150])


def test_the_legend_shows_the_classes_that_occur_and_no_others():
    drawn = draw_mask(torch.zeros(3, 240, 300, dtype=torch.uint8), Mask(halves()), ["sky", "road", "tree"])
    legend = drawn[:, 240:]

    def shown(index):
        return bool((legend == torch.tensor(class_colour(index), dtype=torch.uint8)[:, None, None]).all(dim=0).any())

    assert [shown(index) for index in range(3)] == [True, False, True]


def test_a_mask_of_nothing_but_void_has_no_legend():
    picture = torch.full((3, 240, 300), 7, dtype=torch.uint8)
    assert torch.equal(draw_mask(picture, Mask(torch.full((240, 300), 255, dtype=torch.uint16), void=255), []), picture)


def test_the_legend_of_many_long_names_keeps_to_the_width():
    classes = torch.arange(240 * 240).reshape(240, 240) // 2880
    names = [f"class number {i} with a rather long name" for i in range(20)]
    drawn = draw_mask(torch.zeros(3, 240, 240, dtype=torch.uint8), Mask(classes.to(torch.uint16)), names)
    legend = drawn[:, 240:]
    assert (legend[:, :, :8] == 255).all()
    assert (legend[:, :, -7:] == 255).all()
    assert (legend[:, -4:] == 255).all()


def test_small_pictures_are_magnified_with_their_masks():
    drawn = draw_mask(torch.zeros(1, 2, 2, dtype=torch.uint8), mask([[0, 1], [1, 0]]), ["a", "b"], opacity=1)
    for y, x, index in ((10, 10, 0), (10, 230, 1), (230, 10, 1), (230, 230, 0)):
        assert tuple(drawn[:, y, x].tolist()) == class_colour(index)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"expected a mask of \(4, 4\), found \(2, 2\)"):
        draw_mask(torch.zeros(3, 4, 4, dtype=torch.uint8), mask([[0, 0], [0, 0]]), ["a"])
