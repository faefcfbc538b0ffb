"""The one streaming pass against brute force over all maps at once, and windows against gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.explain.top_patches import Finder, Window, cut, window_of
from neocog.layers import Reach, reach


def brute_force(maps, patches):
    """For each unit (value, picture, row, column), the strongest first, equal ones in the order of the pictures and places."""
    found = []
    for unit in range(maps.shape[1]):
        rows = []
        for picture in range(len(maps)):
            value, row, column = max(
                ((float(maps[picture, unit, i, j]), -i, -j) for i in range(maps.shape[2]) for j in range(maps.shape[3])),
            )
            if value > 0:
                rows.append((value, picture, -row, -column))
        found.append(sorted(rows, key=lambda row: (-row[0], row[1]))[:patches])
    return found


def listed(found):
    columns = (found.values, found.pictures, found.rows, found.columns)
    return [
        [tuple(column[unit, place].item() for column in columns) for place in range(found.count(unit))] for unit in range(len(found.values))
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 9), st.booleans())
def test_equals_brute_force(seed, units, batch, coarse):
    draws = torch.Generator().manual_seed(seed)
    maps = torch.randn(23, units, 3, 4, generator=draws)
    if coarse:
        maps = maps.round()  # so that many are equal
    finder = Finder(5)
    for rows in torch.arange(23).split(batch):
        finder.update(maps[rows], rows)
    assert listed(finder.found()) == brute_force(maps, 5)


def test_a_unit_that_is_seldom_above_0_has_fewer_patches():
    finder = Finder(3)
    finder.update(torch.tensor([[-1.0, 2.0], [0.0, 3.0]]), torch.tensor([7, 8]))
    finder.update(torch.tensor([[0.0, 1.0]]), torch.tensor([9]))
    found = finder.found()
    assert (found.count(0), found.count(1)) == (0, 3)
    assert found.pictures[1].tolist() == [8, 7, 9]
    assert found.pictures[0].tolist() == [-1, -1, -1]
    assert found.values[0].tolist() == [0, 0, 0]


def test_without_a_batch_there_is_nothing():
    with pytest.raises(ValueError, match=r"^expected at least one batch, found none$"):
        Finder().found()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 1), (5, 6)])
def test_a_window_is_what_the_unit_depends_on(row, column):
    module = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2), nn.AvgPool2d(3, stride=2, padding=1), nn.Conv2d(1, 1, 3, padding=1, dilation=1))
    for layer in (module[0], module[2]):
        nn.init.ones_(layer.weight)
    image = torch.ones(1, 1, 16, 16, requires_grad=True)
    module(image)[0, 0, row, column].backward()
    rows, columns = (image.grad[0, 0].sum(axis).nonzero().flatten() for axis in (1, 0))
    window = window_of(reach(module, Reach(), 16), row, column).within(16, 16)
    assert window == Window(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def test_the_patch_alone_gives_the_activation():
    """Where the window lies inside the picture, all else may be anything."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3))
    image = torch.rand(3, 20, 20)
    maps = module(image[None])[0]
    patch = cut(image, window_of(reach(module, Reach(), 20), 2, 3))
    assert patch.shape == (3, 8, 8)
    assert torch.allclose(module(patch[None])[0, :, 0, 0], maps[:, 2, 3], atol=1e-6)


def test_what_lies_beyond_the_picture_is_left_out():
    image = torch.arange(16.0).view(1, 4, 4)
    assert cut(image, Window(-2, -1, 2, 3)).tolist() == [[[0, 1, 2], [4, 5, 6]]]
