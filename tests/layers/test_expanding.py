import pytest
import torch

from neocog.layers import Expanding, Reach, double_convolution


def test_two_convolutions_in_closed_form():
    units = double_convolution(3, 8)
    assert sum(parameter.numel() for parameter in units.parameters()) == 9 * (3 * 8 + 8 * 8) + 4 * 8
    assert units(torch.rand(2, 3, 5, 7)).shape == (2, 8, 5, 7)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_maps_are_enlarged_and_joined(upsampling):
    step = Expanding(8, 6, 4, upsampling).eval()
    maps, skip = torch.rand(1, 8, 4, 5), torch.rand(1, 6, 7, 9)
    found = step(maps, skip)
    assert found.shape == (1, 4, 7, 9)
    joined = torch.cat([skip, step.up(maps)[..., :7, :9]], dim=1)
    assert torch.equal(found, step.units(joined))


def test_without_the_encoders_maps_it_only_enlarges():
    assert Expanding(8, 0, 4)(torch.rand(1, 8, 4, 5), None).shape == (1, 4, 8, 10)


def test_the_reach_is_that_of_the_wider_input():
    step = Expanding(8, 6, 4)
    assert step.joined(Reach(4, 20, 20), Reach(2, 9, 9), 100)[:3] == (2, 20 + 4 * 2, 20 + 4 * 2)
    assert step.joined(Reach(4, 1, 1), Reach(2, 9, 9), 100)[:3] == (2, 9 + 4 * 2, 9 + 4 * 2)
    assert step.joined(Reach(4, 20, 20), None, 100)[:3] == (2, 28, 28)
