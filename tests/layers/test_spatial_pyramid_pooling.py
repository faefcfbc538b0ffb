import math

import pytest
import torch
from torch.nn import functional

from neocog.layers import Reach, SpatialPyramidPooling, reach

PYRAMID = (7, 3, 2, 1)


@pytest.mark.parametrize("size", [(14, 14), (13, 9), (7, 7), (2, 3), (1, 1)])
def test_it_is_adaptive_pooling_of_each_level(size):
    maps = torch.randn(2, 5, *size, dtype=torch.float64, requires_grad=True)
    expected = torch.cat([functional.adaptive_max_pool2d(maps, level).flatten(1) for level in PYRAMID], dim=1)
    found = SpatialPyramidPooling(PYRAMID)(maps)
    assert torch.equal(found, expected)
    weights = torch.randn_like(found)
    gradients = [torch.autograd.grad((vector * weights).sum(), maps)[0] for vector in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_the_length_does_not_depend_on_the_size_of_the_map():
    pooling = SpatialPyramidPooling(PYRAMID)
    assert pooling.bins == 7 * 7 + 3 * 3 + 2 * 2 + 1 == 63
    assert {pooling(torch.randn(1, 4, *size)).shape for size in ((14, 14), (5, 20), (1, 3))} == {(1, 4 * 63)}


def sliding(side, bins):
    """Section 2.3's windows: as long as ceil(side / bins), one every floor(side / bins) points."""
    length, step = math.ceil(side / bins), side // bins
    return functional.max_pool1d(torch.arange(float(side))[None], length, step)[0].tolist(), step * (bins - 1) + length


def ours(side, bins):
    column = torch.arange(float(side)).reshape(1, 1, side, 1).expand(1, 1, side, bins)
    return SpatialPyramidPooling((bins,))(column).reshape(bins, bins)[:, 0].tolist()


@pytest.mark.parametrize("bins", [6, 3, 2, 1])
def test_on_13_points_the_bins_are_the_papers_sliding_windows(bins):
    assert sliding(13, bins) == (ours(13, bins), 13)


def test_on_14_points_the_papers_sliding_windows_would_miss_the_last_one():
    found, end = sliding(14, 3)
    assert (found[-1], end) == (12.0, 13)
    assert ours(14, 3)[-1] == 13.0


def test_points_that_share_a_maximum_share_its_gradient():
    maps = torch.zeros(1, 1, 2, 2, requires_grad=True)
    SpatialPyramidPooling((1,))(maps).sum().backward()
    assert torch.equal(maps.grad, torch.full((1, 1, 2, 2), 0.25))


def test_it_sees_the_whole_image():
    assert reach(SpatialPyramidPooling(PYRAMID), Reach(16, 301, 301), 224) == Reach(224, 224, 224)


def test_it_says_its_levels():
    assert repr(SpatialPyramidPooling(PYRAMID)) == "SpatialPyramidPooling(7, 3, 2, 1)"
