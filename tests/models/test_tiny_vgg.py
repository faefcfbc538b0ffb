import pytest
import torch
from torch.nn import functional

from neocog.models import create_model


def test_parameters_in_closed_form():
    model = create_model("tiny_vgg")
    layers = [p.numel() for p in model.parameters()]
    assert layers == [270, 10, 900, 10, 900, 10, 900, 10, 10 * 1_690, 10]
    assert 1_690 == 10 * 13 * 13
    assert sum(layers) == 280 + 3 * 910 + 16_910 == 19_920


def test_maps_have_the_sizes_that_cnn_explainer_shows():
    model = create_model("tiny_vgg")
    sizes = []
    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.MaxPool2d)):
            module.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[2]))
    model(torch.zeros(1, 3, 64, 64))
    assert sizes == [62, 60, 30, 28, 26, 13]


def test_it_computes_what_the_picture_says():
    torch.manual_seed(0)
    model = create_model("tiny_vgg")
    state = list(model.state_dict().values())
    images = torch.rand(2, 3, 64, 64)
    maps = images
    for first in (0, 4):
        for weight, bias in (state[first : first + 2], state[first + 2 : first + 4]):
            maps = functional.conv2d(maps, weight, bias).relu()
        maps = functional.max_pool2d(maps, 2)
    torch.testing.assert_close(model(images), functional.linear(maps.flatten(1), *state[8:10]))


def test_pixels_go_from_0_to_1():
    images = torch.rand(1, 3, 64, 64)
    assert torch.equal(create_model("tiny_vgg").preprocess.normalise(images), images)


@pytest.mark.parametrize(("size", "points"), [((16, 16), 1), ((17, 33), 1 * 5), ((65, 64), 13 * 13)])
def test_other_sizes_leave_other_numbers_of_points(size, points):
    model = create_model("tiny_vgg", image_size=size)
    assert model.head.fc.in_features == 10 * points
    assert model(torch.zeros(1, 3, *size)).shape == (1, 10)
