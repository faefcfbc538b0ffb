import pytest
import torch
from torch.nn import functional

from neocog.layers import DilatedAvgPool2d, DilatedMaxPool2d

SHAPES = [(2, 1, 2, (0, 0)), (3, 1, 2, (0, 0)), (3, 1, 4, (4, 0)), (2, 0, 3, (0, 3)), (5, 2, 3, (0, 0)), (3, 1, 2, (2, 2))]
"""Side of the window, padding in elements, dilation, and how much further windows reach."""


def by_grids(maps, dilation, pooled):
    """What pools without gaps, on each of the grids of pixels that lie `dilation` apart."""
    parts = {(i, j): pooled(maps[..., i::dilation, j::dilation]) for i in range(dilation) for j in range(dilation)}
    rows = sum(parts[i, 0].shape[2] for i in range(dilation))
    columns = sum(parts[0, j].shape[3] for j in range(dilation))
    whole = maps.new_empty(*maps.shape[:2], rows, columns)
    for (i, j), part in parts.items():
        whole[..., i::dilation, j::dilation] = part
    return whole


def further(maps, padding, beyond, value):
    return functional.pad(maps, (padding, padding + beyond[1], padding, padding + beyond[0]), value=value)


@pytest.mark.parametrize(("kernel", "padding", "dilation", "beyond"), SHAPES)
def test_maxima_are_those_of_each_grid_of_pixels(kernel, padding, dilation, beyond):
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 17, 19) - 5
    wide = {"stride": (1, 1), "padding": (padding * dilation,) * 2, "dilation": (dilation,) * 2, "beyond": beyond}
    around = further(maps, padding * dilation, beyond, -torch.inf)
    expected = by_grids(around, dilation, lambda grid: functional.max_pool2d(grid, kernel, 1))
    assert torch.equal(DilatedMaxPool2d((kernel, kernel), **wide)(maps), expected)


@pytest.mark.parametrize(("kernel", "padding", "dilation", "beyond"), SHAPES)
@pytest.mark.parametrize("counted", ["window", "map", "nothing"])
def test_means_are_those_of_each_grid_of_pixels(kernel, padding, dilation, beyond, counted):
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 17, 19, dtype=torch.float64)
    wide = {"stride": (1, 1), "padding": (padding * dilation,) * 2, "dilation": (dilation,) * 2, "beyond": beyond}
    elements = further(torch.ones_like(maps), padding * dilation, (0, 0), float(counted == "window"))

    def sums(given):
        return by_grids(given, dilation, lambda grid: functional.avg_pool2d(grid, kernel, 1, divisor_override=1))

    divisor = 3 if counted == "nothing" else sums(further(elements, 0, beyond, 0.0))
    pool = DilatedAvgPool2d((kernel, kernel), **wide, count_include_pad=counted == "window", divisor=3 if counted == "nothing" else None)
    torch.testing.assert_close(pool(maps), sums(further(maps, padding * dilation, beyond, 0.0)) / divisor)


def test_gradients_are_right():
    maps = torch.randn(1, 2, 7, 6, dtype=torch.float64, requires_grad=True)
    wide = {"stride": (1, 2), "padding": (2, 2), "dilation": (2, 2), "beyond": (1, 2)}
    for kind in (DilatedMaxPool2d, DilatedAvgPool2d):
        assert torch.autograd.gradcheck(kind((3, 3), **wide), (maps,))


def test_they_say_what_they_are():
    wide = {"stride": (1, 1), "padding": (2, 2), "dilation": (2, 2), "beyond": (1, 0)}
    assert "dilation=(2, 2), beyond=(1, 0)" in repr(DilatedAvgPool2d((3, 3), **wide))
    assert "padding=(2, 2), dilation=(2, 2), ceil_mode=False, beyond=(1, 0)" in repr(DilatedMaxPool2d((3, 3), **wide))
