import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import resnet50
from torchvision.models.mobilenetv3 import mobilenet_v3_large

import families
from neocog.batch import Preprocess
from neocog.errors import UsageError
from neocog.layers import (
    BlurPool2d,
    DilatedAvgPool2d,
    DilatedMaxPool2d,
    InvertedResidual,
    SqueezeExcitation,
    ZeroPadShortcut,
    basic_block,
    dilate,
)
from neocog.models import MODELS, create_model
from neocog.models.backbone import NEEDED, backbone
from neocog.models.entry import ModelSpec


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
    assert dilate([nn.Conv2d(1, 1, 3, stride=2, padding=1), pool], 2)[1] is pool
    assert pair(pool.stride) == (1, 1)


POOLINGS = [
    (kind, kernel, stride, padding, ceil_mode, more)
    for kind in (nn.MaxPool2d, nn.AvgPool2d)
    for kernel, stride in ((2, 2), (3, 2), (3, 1), (4, 4), (5, 2), ((1, 3), 2), (1, 2))
    for padding in {0, min(pair(kernel)) // 2}
    for ceil_mode in (False, True)
    for more in ({nn.MaxPool2d: ({}, {"dilation": 2}), nn.AvgPool2d: ({}, {"count_include_pad": False}, {"divisor_override": 3})}[kind])
]


@pytest.mark.parametrize(("kind", "kernel", "stride", "padding", "ceil_mode", "more"), POOLINGS)
def test_every_point_of_a_strided_pooling_is_one_of_the_dense_one(kind, kernel, stride, padding, ceil_mode, more):
    """Borders too: before it a stride of 2 that gives way to a dilation, behind it another pooling."""
    torch.manual_seed(0)
    pool = kind(kernel, stride, padding, ceil_mode=ceil_mode, **more)
    strided = nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), pool, nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 2, 3, padding=1)).double()
    (dense,) = dilate([copy.deepcopy(strided)], 1)
    finer = 2 * stride * 2
    for height, width in ((31, 32), (33, 34), (37, 41)):
        maps = torch.randn(2, 2, height, width, dtype=torch.float64)
        torch.testing.assert_close(dense(maps)[..., ::finer, ::finer], strided(maps))


def test_what_gives_way_is_replaced_wherever_it_stands():
    halving = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    bare, inside = nn.AvgPool2d(3, 1, 1), nn.Sequential(nn.MaxPool2d(3, 1, 1))
    first, second, third = dilate([halving, bare, inside], 1)
    assert (first, third) == (halving, inside)
    assert isinstance(second, DilatedAvgPool2d)
    assert isinstance(inside[0], DilatedMaxPool2d)
    assert (inside[0].padding, inside[0].dilation) == ((2, 2), (2, 2))


def test_padding_in_words_follows_the_dilation():
    strided = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 5, padding="same"), nn.Conv2d(1, 1, 2, padding="valid"))
    dense = copy.deepcopy(strided)
    dilate(dense, 1)
    image = torch.rand(1, 1, 23, 26)
    torch.testing.assert_close(dense(image)[..., ::2, ::2], strided(image))


def test_a_shortcut_without_weights_stops_striding():
    torch.manual_seed(0)
    strided = basic_block(4, 8, 2, ZeroPadShortcut).eval()
    dense = copy.deepcopy(strided)
    dilate([dense], 1)
    image = torch.rand(1, 4, 9, 12)
    torch.testing.assert_close(dense(image)[..., ::2, ::2], strided(image))


BACKBONES = [name for name in families.with_trait("any_size") if MODELS[name].tasks[0] == "classify" and MODELS[name].traits >= NEEDED]


def filled(module, generator):
    """A module from the meta device with weights that keep the size of maps; without what looks at the whole map."""
    module.to_empty(device="cpu")
    for key, tensor in module.state_dict().items():
        if tensor.ndim == 4:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.uniform_(*((0.5, 1.5) if key.endswith(("weight", "running_var")) else (-0.1, 0.1)), generator=generator)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SqueezeExcitation):
                parent.register_module(name, nn.Identity())
    return module.eval()


@pytest.mark.parametrize("name", families.sampled(BACKBONES))
def test_every_point_of_a_backbone_is_one_of_the_dilated_one(name):
    """Also at the border, and where sizes are not multiples of the stride."""
    generator = torch.Generator().manual_seed(0)
    least = max(MODELS[name].min_size, 20)
    with torch.device("meta"):
        maps = backbone(name, ModelSpec(2, 3, Preprocess((64, 64), (64, 64)), None, "segment"))
    strided = filled(nn.ModuleDict(maps.stages), generator)
    images = torch.randn(2, 3, least + 41, least + 12, generator=generator)
    with torch.inference_mode():
        expected = nn.Sequential(*strided.values())(images)
        for most in (8, 16):
            dense = replace(maps, stages=dict(copy.deepcopy(strided).items())).dilated(most)
            finer = max(maps.deepest.stride // most, 1)
            found = nn.Sequential(*dense.stages.values())(images)
            assert found.shape[2] >= finer * (expected.shape[2] - 1) + 1
            torch.testing.assert_close(found[..., ::finer, ::finer], expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4)
            assert dense.reach.stride == dense.deepest.stride == min(maps.deepest.stride, most)
            assert dense.reach.centre == maps.reach.centre


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([BlurPool2d(2)], "BlurPool2d up to stride 2"),
        ([nn.MaxPool2d(2), BlurPool2d(1)], "BlurPool2d up to stride 2"),
        ([nn.MaxPool2d(2), nn.MaxPool2d(3, 1, 1, return_indices=True)], "MaxPool2d with indices up to stride 2"),
        ([nn.MaxPool2d(2), nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")], "Conv2d padded by mode reflect up to stride 2"),
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
