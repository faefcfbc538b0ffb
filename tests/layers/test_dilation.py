import copy

import pytest
import torch
from torch import nn
from torchvision.models import resnet50
from torchvision.models.mobilenetv3 import mobilenet_v3_large

from neocog.errors import UsageError
from neocog.layers import InvertedResidual, ZeroPadShortcut, basic_block, dilate
from neocog.models import create_model


def windows(module):
    return [layer for layer in module.modules() if isinstance(layer, (nn.Conv2d, nn.MaxPool2d))]


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def shape_of(layer):
    return pair(layer.kernel_size), pair(layer.stride), pair(layer.padding), pair(layer.dilation)


def test_without_padding_every_output_is_one_of_the_strided_network_on_a_shifted_image():
    torch.manual_seed(0)
    strided = nn.Sequential(
        nn.Conv2d(1, 3, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 3, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(3, 2, 2)
    ).double()
    dense = copy.deepcopy(strided)
    dilate(dense, 1)
    image = torch.rand(1, 1, 40, 44, dtype=torch.float64)
    answers = dense(image)
    for top in (0, 1, 5, 7):
        for left in (0, 2, 3):
            some = strided(image[..., top:, left:])
            everywhere = answers[..., top::8, left::8]
            rows, columns = (min(pair) for pair in zip(some.shape[2:], everywhere.shape[2:], strict=True))
            torch.testing.assert_close(some[..., :rows, :columns], everywhere[..., :rows, :columns])


@pytest.mark.parametrize(("stride", "instead"), [(8, (False, True, True)), (16, (False, False, True))])
def test_resnet_is_dilated_as_torchvision_dilates_it(stride, instead):
    with torch.device("meta"):
        ours, theirs = create_model("resnet50"), resnet50(replace_stride_with_dilation=instead)
    dilate(ours.stages.values(), stride)
    assert sorted(map(shape_of, windows(ours))) == sorted(map(shape_of, windows(theirs)))
    in_order = [shape_of(unit[1].conv) for block in ours.stages.layer4 for unit in [block.body]]
    assert in_order == [shape_of(block.conv2) for block in theirs.layer4]


def test_mobilenet_is_dilated_as_torchvision_dilates_it():
    with torch.device("meta"):
        ours, theirs = create_model("mobilenet_v3_large"), mobilenet_v3_large(dilated=True)
    dilate(ours.stages.values(), 16, strided_too=True)
    depthwise = [layer for layer in windows(ours) if layer.groups > 1]
    assert list(map(shape_of, depthwise)) == [shape_of(layer) for layer in windows(theirs.features) if layer.groups > 1]


def test_the_map_keeps_its_size_from_there_on():
    network = create_model("resnet18", image_size=(64, 64)).eval()
    dilate(network.stages.values(), 8)
    maps = network.feature_maps(torch.rand(1, 3, 64, 64), ["layer2", "layer3", "layer4"])
    assert [tuple(found.shape[2:]) for found in maps.values()] == [(8, 8)] * 3


def test_an_average_pooling_at_the_limit_only_stops_striding():
    pool = nn.AvgPool2d(2, 2)
    dilate([nn.Conv2d(1, 1, 3, stride=2, padding=1), pool], 2)
    assert pair(pool.stride) == (1, 1)


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([nn.AvgPool2d(2, 2), nn.AvgPool2d(2, 2)], "AvgPool2d up to stride 4"),
        ([nn.Conv2d(1, 1, 3, stride=2), nn.MaxPool2d(3, 1, 1)], "MaxPool2d up to stride 2"),
        ([basic_block(4, 8, 2, ZeroPadShortcut)], "ZeroPadShortcut up to stride 2"),
    ],
)
def test_what_cannot_be_dilated_is_refused(layers, found):
    with pytest.raises(UsageError) as caught:
        dilate(layers, 1)
    assert str(caught.value) == f"expected: layers that can be dilated\nfound: {found}\nto do: choose another backbone"


def test_a_residual_that_strode_still_adds_nothing():
    block = InvertedResidual(4, 8, 4, stride=2)
    dilate([block], 1)
    assert not block.adds_input
    assert block(torch.rand(1, 4, 6, 6)).shape == (1, 4, 6, 6)
