import pytest
import torch
from torch.nn import functional

from neocog.layers import BilinearUpsampling, bilinear_kernel, checkerboard


def test_the_kernel_of_two_in_closed_form():
    row = torch.tensor([1, 3, 3, 1]) / 4
    assert torch.equal(bilinear_kernel(2), row[:, None] * row)
    assert bilinear_kernel(3).shape == (5, 5)


@pytest.mark.parametrize("scale", [2, 4, 8, 32])
def test_away_from_the_border_it_interpolates_bilinearly(scale):
    maps = torch.rand(2, 3, 6, 7)
    found = BilinearUpsampling(3, scale)(maps)
    expected = functional.interpolate(maps, scale_factor=scale, mode="bilinear", align_corners=False)
    assert found.shape == expected.shape
    inner = slice(scale, -scale)
    torch.testing.assert_close(found[..., inner, inner], expected[..., inner, inner])
    assert checkerboard(BilinearUpsampling(1, scale), 1) < 1e-6


def test_the_rim_may_stay():
    assert BilinearUpsampling(2, 2, cut=False)(torch.rand(1, 2, 5, 5)).shape == (1, 2, 12, 12)
    assert BilinearUpsampling(2, 8, cut=False)(torch.rand(1, 2, 5, 5)).shape == (1, 2, 48, 48)


def test_every_channel_learns_for_itself():
    layer = BilinearUpsampling(3, 2)
    assert layer.weight.shape == (3, 1, 4, 4)
    assert layer.weight.requires_grad
    maps = torch.zeros(1, 3, 4, 4)
    maps[:, 1] = 1
    assert layer(maps).sum(dim=(0, 2, 3)).nonzero().flatten().tolist() == [1]
