import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.layers import AuxiliaryPool, Inception, InceptionWidths, Reach, inception_module, normalised_unit, reach

WIDTHS = InceptionWidths(4, 2, 5, 1, 3, 6)


def test_the_branches_stand_side_by_side_in_order():
    module = Inception({"same": nn.Identity(), "twice": nn.Sequential(nn.Conv2d(2, 1, 1, bias=False))})
    nn.init.ones_(module["twice"][0].weight)
    maps = torch.randn(1, 2, 3, 3)
    torch.testing.assert_close(module(maps), torch.cat([maps, maps.sum(dim=1, keepdim=True)], dim=1))


def test_the_widest_branch_tells_how_far_it_looks():
    module = Inception({"row": nn.Conv2d(2, 1, (1, 7), padding=(0, 3)), "column": nn.Conv2d(2, 1, (3, 1), padding=(1, 0))})
    assert reach(module, Reach(4, 10, 10), 64) == Reach(4, 18, 34, -4, -12)


@pytest.mark.parametrize(("largest", "height"), [(5, 5), (3, 3)])
def test_a_module_of_the_paper(largest, height):
    module = inception_module(8, WIDTHS, normalised_unit, largest=largest)
    assert list(module) == ["1x1", "3x3", "5x5", "pool"]
    assert module(torch.randn(2, 8, 6, 5)).shape == (2, WIDTHS.channels, 6, 5) == (2, 18, 6, 5)
    assert reach(module, Reach(), 64) == Reach(1, height, height, -(height // 2), -(height // 2))
    weights = sum(layer.weight.numel() for layer in module.modules() if isinstance(layer, nn.Conv2d))
    assert weights == 8 * (4 + 2 + 1 + 6) + 2 * 5 * 9 + 1 * 3 * largest**2


def test_a_unit_normalises_and_rectifies():
    unit = normalised_unit(3, 8, (1, 7))
    assert unit.norm.eps == 0.001
    out = unit(torch.randn(4, 3, 9, 9))
    assert out.shape == (4, 8, 9, 9)
    assert out.min() == 0
    assert normalised_unit(3, 8, 3, stride=2, padded=False)(torch.randn(2, 3, 9, 9)).shape == (2, 8, 4, 4)


@pytest.mark.parametrize(
    ("least", "most", "size", "paper"),
    [
        (4, 4, (14, 14), True),
        (4, 4, (16, 14), True),
        (4, 4, (17, 14), False),
        (4, 4, (13, 14), False),
        (4, 4, (2, 3), False),
        (5, None, (17, 17), True),
        (5, None, (30, 20), True),
        (5, None, (16, 20), False),
    ],
)
def test_auxiliary_pooling_is_the_papers_where_that_gives_a_size_that_fits(least, most, size, paper):
    maps = torch.randn(2, 3, *size)
    out = AuxiliaryPool(least, most)(maps)
    expected = functional.avg_pool2d(maps, 5, stride=3) if paper else functional.adaptive_avg_pool2d(maps, least)
    torch.testing.assert_close(out, expected)
