import pytest
import torch
from torch import nn

from neocog.models import create_model


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return create_model("all_cnn_c").eval()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_in_closed_form(model):
    pairs = [(3, 96), (96, 96), (96, 96), (96, 192), (192, 192), (192, 192), (192, 192)]
    expected = [9 * before * after + after for before, after in pairs] + [192 * 192 + 192, 192 * 10 + 10]
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert [count(convolution) for convolution in convolutions] == expected
    assert sum(expected) == 1_369_738


def test_it_has_neither_pooling_between_its_layers_nor_dense_layers(model):
    kinds = {type(module) for module in model.modules()}
    assert kinds & {nn.MaxPool2d, nn.AvgPool2d, nn.Linear, nn.BatchNorm2d} == set()
    assert [module.stride for module in model.modules() if isinstance(module, nn.Conv2d) and module.stride != (1, 1)] == [(2, 2)] * 2


def test_the_papers_6x6_points_are_averaged(model):
    images = torch.randn(2, 3, 32, 32)
    maps = model.feature_maps(images, ["block1", "block2", "block3"])
    assert [tuple(item.shape[1:]) for item in maps.values()] == [(96, 32, 32), (192, 16, 16), (192, 6, 6)]
    last = torch.relu(model.head.conv9(maps["block3"]))
    torch.testing.assert_close(model(images), last.mean(dim=(2, 3)))
    assert model(images).min() >= 0


def test_dropout_follows_the_image_and_each_layer_that_strides(model):
    layers = [layer for part in (*model.stages.values(), model.head) for layer in part]
    rates = {}
    for before, layer in zip([None, *layers], layers, strict=False):
        if isinstance(layer, nn.Dropout):
            rates[layers.index(before) if before is not None else -1] = layer.p
    assert list(rates.values()) == [0.2, 0.5, 0.5]
    strided = [index for index, layer in enumerate(layers) if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)]
    assert list(rates) == [-1, *(index + 1 for index in strided)]  # after the relu of the layer
