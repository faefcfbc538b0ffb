import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.layers import Reach, ResizeConvolution, checkerboard, painted_times, reach


def transposed(kernel, stride):
    module = nn.ConvTranspose2d(2, 1, kernel, stride, bias=False)
    nn.init.ones_(module.weight)
    return module


@pytest.mark.parametrize("scale", [2, 3])
def test_it_is_nearest_resizing_and_a_convolution(scale):
    module = ResizeConvolution(3, 4, 5, scale=scale)
    maps = torch.randn(2, 3, 6, 5)
    larger = functional.pad(maps.repeat_interleave(scale, 2).repeat_interleave(scale, 3), [2] * 4, mode="replicate")
    torch.testing.assert_close(module(maps), functional.conv2d(larger, module.conv.weight, module.conv.bias))


def test_how_often_a_pixel_is_painted():
    assert painted_times(3, 2).tolist() == [[4, 2], [2, 1]]
    assert painted_times(4, 2).tolist() == [[4, 4], [4, 4]]
    assert painted_times(2, 3).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 2), (5, 3), (2, 3), (9, 3)])
def test_painted_times_is_what_a_transposed_convolution_of_ones_gives(kernel, stride):
    out = transposed(kernel, stride)(torch.ones(1, 2, 12, 12))[0, 0] / 2
    start = 4 * stride
    assert torch.equal(out[start : start + stride, start : start + stride], painted_times(kernel, stride).float())


def test_the_measure_of_a_checkerboard():
    assert checkerboard(transposed(3, 2), 2) == pytest.approx(1 - 1 / 4)
    assert checkerboard(transposed(5, 2), 2) == pytest.approx(1 - 4 / 9)
    assert checkerboard(transposed(4, 2), 2) == 0
    assert checkerboard(transposed(2, 3), 2) == 1
    assert checkerboard(nn.Upsample(scale_factor=2), 3) == 0


def test_weights_can_make_a_checkerboard_of_a_divided_kernel_but_not_of_resizing():
    torch.manual_seed(0)
    assert checkerboard(nn.ConvTranspose2d(4, 3, 4, 2, bias=False), 4) > 0.3
    assert checkerboard(ResizeConvolution(4, 3), 4) < 1e-5
    assert checkerboard(ResizeConvolution(4, 3, 5, scale=3), 4) < 1e-5


def test_a_constant_stays_one_at_the_border_too():
    out = ResizeConvolution(2, 3)(torch.ones(1, 2, 4, 4)).detach()
    torch.testing.assert_close(out, out[:, :, :1, :1].expand_as(out))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_reach_is_found_by_gradients(kernel, scale):
    module = ResizeConvolution(1, 1, kernel, scale=scale)
    nn.init.ones_(module.conv.weight)
    most, first = 0, 0
    for phase in range(scale):
        maps = torch.ones(1, 1, 11, 11, requires_grad=True)
        module(maps)[0, 0, 5 * scale, 5 * scale + phase].backward()
        most = max(most, int((maps.grad[0, 0].sum(0) != 0).sum()))
        if phase == 0:
            first = int(maps.grad[0, 0].sum(0).nonzero()[0]) - 5
    before = Reach(2 * scale, 9, 9)
    size, start = 9 + (most - 1) * before.stride, first * before.stride
    assert reach(module, before, 32) == Reach(2, size, size, start, start)


def test_points_closer_than_pixels_have_no_reach():
    with pytest.raises(TypeError, match=r"^expected maps at a stride that 2 divides, found stride 3$"):
        reach(ResizeConvolution(1, 1), Reach(3, 3, 3), 32)
