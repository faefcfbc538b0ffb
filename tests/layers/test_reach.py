import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.layers import Reach, reach, recorded_reaches, widest

LENGTH = 200


def columns_seen(module: nn.Module, position: int) -> list[int]:
    """The columns of a one-row image that a point depends on, by its gradient."""
    image = torch.ones(1, 1, LENGTH, dtype=torch.float64, requires_grad=True)
    module.double()(image[:, :, None])[0, 0, 0, position].backward()
    return image.grad[0, 0].nonzero().flatten().tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(1, 3), st.booleans()), min_size=1, max_size=4))
def test_agrees_with_gradients(shapes):
    layers = []
    for kernel, stride, dilation, pooling in shapes:
        if pooling:
            layers.append(nn.AvgPool2d((1, kernel), stride=(1, stride)))
        else:
            conv = nn.Conv2d(1, 1, (1, kernel), stride=(1, stride), dilation=(1, dilation))
            nn.init.ones_(conv.weight)
            layers.append(conv)
    module = nn.Sequential(*layers)
    columns, neighbours = columns_seen(module, 0), columns_seen(module, 1)
    found = reach(Flat(module), Reach(), LENGTH)
    assert found.width == columns[-1] - columns[0] + 1
    assert found.stride == neighbours[0] - columns[0]


class Flat(nn.Module):
    """Strides along columns only, which a Reach, with one stride for both directions, reads from its first."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def reach(self, before, side):
        for layer in self.module:
            kernel, stride, dilation = layer.kernel_size, layer.stride, getattr(layer, "dilation", (1, 1))
            square = nn.MaxPool2d(kernel[1], stride=stride[1], dilation=dilation[1])
            before = reach(square, before, side)
        return before


def test_rows_and_columns_are_told_apart():
    module = nn.Sequential(nn.Conv2d(1, 1, (1, 7)), nn.Conv2d(1, 1, (7, 1)))
    assert reach(module, Reach(), 50) == Reach(1, 7, 7)


def test_pointwise_modules_change_nothing():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(), nn.Identity())
    assert reach(module, Reach(4, 9, 11), 50) == Reach(4, 9, 11)


def test_a_linear_layer_sees_the_whole_image():
    assert reach(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), Reach(), 28) == Reach(28, 28, 28)


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d((1, 1))])
def test_a_pooling_to_one_point_sees_the_whole_image(pool):
    assert reach(pool, Reach(4, 9, 11), 28) == Reach(28, 28, 28)


def test_a_pooling_to_more_points_is_taken_as_pointwise():
    assert reach(nn.AdaptiveAvgPool2d(7), Reach(4, 9, 11), 28) == Reach(4, 9, 11)


def test_every_reach_on_the_way_is_recorded():
    conv, pool = nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)
    module = nn.Sequential(conv, pool)
    with recorded_reaches() as record:
        found = reach(module, Reach(), 32)
    assert record == {conv: Reach(1, 3, 3), pool: Reach(2, 4, 4), module: found}
    reach(nn.ReLU(), Reach(), 32)
    assert len(record) == 3  # it is closed


def test_of_branches_the_widest_counts():
    assert widest(Reach(2, 3, 9), Reach(2, 5, 1)) == Reach(2, 5, 9)


def test_a_module_that_hides_its_branches_is_refused():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Conv2d(1, 1, 3)

    with pytest.raises(TypeError, match=r"^expected a sequence or a module with a method reach\(before, side\), found Hidden$"):
        reach(Hidden(), Reach(), 28)


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(2, 2, 1), (3, 2, 1), (4, 2, 1), (5, 3, 1), (3, 2, 2), (1, 2, 1), (3, 1, 2)])
def test_a_transposed_convolution_agrees_with_gradients(kernel, stride, dilation):
    module = nn.ConvTranspose2d(1, 1, kernel, stride, dilation=dilation, bias=False)
    nn.init.ones_(module.weight)
    widths, firsts = [], []
    for place in range(6 * stride, 7 * stride):
        maps = torch.ones(1, 1, 15, 15, requires_grad=True)
        module(maps)[0, 0, 6 * stride, place].backward()
        columns = maps.grad[0, 0].sum(0).nonzero().flatten().tolist()
        widths.append(columns[-1] - columns[0] + 1 if columns else 0)
        firsts.append(columns[0] if columns else None)
    seen = max(widths)
    before = Reach(2 * stride, 7, 7)
    found = reach(module, before, 32)
    assert found[:3] == (2, 7 + (seen - 1) * before.stride, 7 + (seen - 1) * before.stride)
    assert found.left + 6 * stride * found.stride == before.stride * firsts[0]


def test_a_transposed_convolution_finer_than_the_image_is_refused():
    with pytest.raises(TypeError, match=r"^expected maps at a stride that 2 divides, found stride 1$"):
        reach(nn.ConvTranspose2d(1, 1, 2, stride=2), Reach(), 28)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=4))
def test_the_start_agrees_with_gradients(shapes):
    layers = []
    for kernel, stride, padding, pooling in shapes:
        padding = min(padding, kernel // 2)
        if pooling:
            layers.append(nn.AvgPool2d(kernel, stride=stride, padding=padding))
        else:
            layers.append(nn.Conv2d(1, 1, kernel, stride=stride, padding=padding))
            nn.init.ones_(layers[-1].weight)
    module = nn.Sequential(*layers).double()
    image = torch.ones(1, 1, 60, 60, dtype=torch.float64, requires_grad=True)
    maps = module(image)
    row, column = maps.shape[2] // 2, maps.shape[3] // 2 - 1
    maps[0, 0, row, column].backward()
    rows, columns = (image.grad[0, 0].sum(axis).nonzero().flatten() for axis in (1, 0))
    found = reach(module, Reach(), 60)
    for seen, start, size, at in ((rows, found.top, found.height, row), (columns, found.left, found.width, column)):
        first = start + at * found.stride
        assert (int(seen[0]), int(seen[-1]) + 1) == (max(0, first), min(60, first + size))


@pytest.mark.parametrize(("padding", "before"), [("same", -3), ("valid", 0), (2, -2), ((1, 4), -4)])
def test_padding_is_understood_as_torch_does(padding, before):
    assert reach(nn.Conv2d(1, 1, (7, 8), padding=padding), Reach(), 50).left == before


def test_branches_that_begin_elsewhere_are_seen_from_the_first_pixel_to_the_last():
    assert widest(Reach(2, 3, 3, -1, 0), Reach(2, 3, 3, 0, 2)) == Reach(2, 4, 5, -1, 0)


@pytest.mark.parametrize(
    ("layers", "centre"),
    [
        ([nn.Conv2d(1, 1, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, 1)], (0.0, 0.0)),
        ([nn.MaxPool2d(2)] * 3, (3.5, 3.5)),
        ([nn.MaxPool2d(3, 2), nn.Conv2d(1, 1, (1, 3), padding=(0, 2))], (1.0, -1.0)),
    ],
)
def test_the_middle_of_the_first_window(layers, centre):
    assert reach(nn.Sequential(*layers), Reach(), 1).centre == centre
