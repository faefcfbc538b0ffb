import pytest
import torch
from torch.nn import functional

from neocog.layers import AverageTo


@pytest.mark.parametrize("size", [(14, 14), (4, 9), (9, 4), (15, 3), (1, 1), (31, 17)])
def test_it_is_adaptive_average_pooling(size):
    maps = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    ours, theirs = AverageTo(4)(maps), functional.adaptive_avg_pool2d(maps, 4)
    torch.testing.assert_close(ours, theirs)
    weights = torch.randn_like(ours)
    torch.testing.assert_close(torch.autograd.grad((ours * weights).sum(), maps), torch.autograd.grad((theirs * weights).sum(), maps))


def test_maps_of_the_size_pass_untouched():
    maps = torch.randn(2, 3, 7, 7)
    assert AverageTo(7)(maps) is maps


def test_it_says_what_it_is():
    assert repr(AverageTo(7)) == "AverageTo(7)"
