import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from neocog.layers import Reach, reach, widest

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


def test_of_branches_the_widest_counts():
    assert widest(Reach(2, 3, 9), Reach(2, 5, 1)) == Reach(2, 5, 9)


def test_a_module_that_hides_its_branches_is_refused():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Conv2d(1, 1, 3)

    with pytest.raises(TypeError, match=r"^expected a sequence or a module with a method reach\(before, side\), found Hidden$"):
        reach(Hidden(), Reach(), 28)
