import pytest
import torch
from torch.nn import functional

from neocog.errors import UsageError
from neocog.models import create_model


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("size", [(28, 28), (32, 32), (8, 8), (27, 31), (5, 32)])
def test_up_to_32_pixels_it_has_the_papers_size(size):
    model = create_model("lenet5", in_channels=1, image_size=size)
    assert count(model) == 156 + 2_416 + 48_120 + 10_164 + 850 == 61_706
    assert model(torch.zeros(2, 1, *size)).shape == (2, 10)


def test_larger_images_widen_c5():
    model = create_model("lenet5", in_channels=1, image_size=(64, 40))
    assert model.head.c5.in_features == 16 * 13 * 7
    assert model(torch.zeros(1, 1, 64, 40)).shape == (1, 10)


@pytest.mark.parametrize(
    ("name", "pooling", "function", "pool"),
    [("tanh", "average", torch.tanh, functional.avg_pool2d), ("relu", "max", torch.relu, functional.max_pool2d)],
)
def test_mnist_is_padded_to_32_pixels(name, pooling, function, pool):
    model = create_model("lenet5", in_channels=1, activation=name, pooling=pooling)
    state = list(model.state_dict().values())
    images = torch.randn(2, 1, 28, 28)
    maps = pool(function(functional.conv2d(functional.pad(images, (2, 2, 2, 2)), *state[0:2])), 2)
    maps = pool(function(functional.conv2d(maps, *state[2:4])), 2).flatten(1)
    maps = function(functional.linear(maps, *state[4:6]))
    maps = function(functional.linear(maps, *state[6:8]))
    torch.testing.assert_close(model(images), functional.linear(maps, *state[8:10]))


def test_an_unknown_pooling_is_refused():
    with pytest.raises(UsageError) as caught:
        create_model("lenet5", pooling="maxi")
    assert str(caught.value) == "expected: 'max' or 'average' for pooling of the model lenet5\nfound: 'maxi'\nto do: did you mean max?"
