import pytest
import timm.layers
import torch
from torch import nn
from torch.nn import functional

from neocog.layers import BlurPool2d, Reach, SumPool2d, reach

MAPS = torch.randn(2, 3, 9, 8)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), ((3, 2), (1, 2), 0)])
def test_sum_pooling_sums_each_window(kernel, stride, padding):
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    ones = torch.ones(3, 1, height, width)
    expected = functional.conv2d(MAPS, ones, stride=stride or kernel, padding=padding, groups=3)
    torch.testing.assert_close(SumPool2d(kernel, stride, padding)(MAPS), expected)


def test_the_reach_of_sum_pooling_is_that_of_average_pooling():
    assert reach(SumPool2d(3, 2), Reach(2, 5, 5), 32) == reach(nn.AvgPool2d(3, 2), Reach(2, 5, 5), 32)


def test_the_kernel_of_blur_pooling_is_the_papers():
    assert torch.equal(BlurPool2d().kernel, torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_blur_pooling_equals_timms(size, stride):
    theirs = timm.layers.BlurPool2d(3, filt_size=size, stride=stride, pad_mode="reflect")
    if stride == 2:  # elsewhere timm pads by another rule
        torch.testing.assert_close(BlurPool2d(stride, size)(MAPS), theirs(MAPS))
    padded = functional.pad(MAPS, [size // 2] * 4, mode="reflect")
    direct = functional.conv2d(padded, theirs.filt.expand(3, 1, size, size), stride=stride, groups=3)
    torch.testing.assert_close(BlurPool2d(stride, size)(MAPS), direct)


def test_constants_stay_and_stripes_of_two_pixels_vanish():
    assert torch.equal(BlurPool2d()(torch.ones(1, 2, 6, 6)), torch.ones(1, 2, 3, 3))
    stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 1, 8, 8)
    assert BlurPool2d()(stripes).abs().max() == 0
    assert stripes[..., ::2, ::2].abs().min() == 1  # which dropping pixels takes for a bright area


def test_blurred_max_pooling_varies_less_under_shifts_than_max_pooling():
    maps = torch.randn(8, 4, 32, 32)
    blurred, plain = nn.Sequential(nn.MaxPool2d(2, stride=1), BlurPool2d()), nn.MaxPool2d(2)

    def change(module):
        here, moved = module(maps[..., :-1, :-1]), module(maps[..., 1:, 1:])
        return ((here - moved).square().mean() / here.var()).item()

    assert change(blurred) < 0.6 * change(plain)


def test_even_kernels_pad_one_more_at_the_end():
    maps = torch.arange(4.0).expand(1, 1, 4, 4)
    assert BlurPool2d(stride=1, size=2)(maps)[0, 0, 0].tolist() == [0.5, 1.5, 2.5, 2.5]


def test_blur_pooling_has_a_reach_and_nothing_to_save():
    pool = BlurPool2d(2, size=5)
    assert reach(nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), pool), Reach(), 32) == Reach(4, 11, 11, -4, -4)
    assert pool.state_dict() == {}
    assert repr(pool) == "BlurPool2d(stride=2, size=5)"
