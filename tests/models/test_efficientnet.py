from functools import cache

import pytest
import torch
import torchvision
from torch import nn

from neocog.layers import InvertedResidual, StochasticDepth
from neocog.models import MODELS, create_model, describe
from neocog.models.efficientnet import efficientnet_key

NAMES = [f"efficientnet_b{number}" for number in range(8)]
SAMPLED = [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]

TABLE_2 = [
    ("efficientnet_b0", 224, 5.3, 0.39),
    ("efficientnet_b1", 240, 7.8, 0.70),
    ("efficientnet_b2", 260, 9.2, 1.0),
    ("efficientnet_b3", 300, 12, 1.8),
    ("efficientnet_b4", 380, 19, 4.2),
    ("efficientnet_b5", 456, 30, 9.9),
    ("efficientnet_b6", 528, 43, 19),
    ("efficientnet_b7", 600, 66, 37),
]
"""The paper's resolutions, millions of parameters and billions of multiply-adds."""


@cache
def on_meta(name):
    with torch.device("meta"):
        return create_model(name)


@cache
def theirs_on_meta(name):
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None)


def of_type(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


def test_torchvisions_weights_give_torchvisions_logits(with_weights_of, disturb):
    theirs = disturb(torchvision.models.efficientnet_b0())
    ours = with_weights_of("efficientnet_b0", theirs).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


def test_a_training_step_leaves_out_what_torchvisions_does(with_weights_of):
    theirs = torchvision.models.efficientnet_b0()
    ours = with_weights_of("efficientnet_b0", theirs).train()
    images = torch.randn(4, 3, 64, 64)
    outputs = []
    for network in (ours, theirs):
        torch.manual_seed(0)
        outputs.append(network(images))
    torch.testing.assert_close(outputs[0], outputs[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SAMPLED)
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[efficientnet_key(key)], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_key_and_shape_is_torchvisions(name):
    theirs = {efficientnet_key(key): tensor.shape for key, tensor in theirs_on_meta(name).state_dict().items()}
    assert theirs == {key: tensor.shape for key, tensor in on_meta(name).state_dict().items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_constants_are_torchvisions(name):
    ours, theirs = on_meta(name), theirs_on_meta(name)
    norms = [{(norm.eps, norm.momentum) for norm in of_type(network, nn.BatchNorm2d)} for network in (ours, theirs)]
    assert norms[0] == norms[1]
    assert [layer.p for layer in of_type(ours, nn.Dropout)] == [layer.p for layer in of_type(theirs, nn.Dropout)]
    blocks = of_type(theirs, torchvision.models.efficientnet.MBConv)
    left_out = [block.stochastic_depth.p for block in blocks if block.use_res_connect]
    assert [layer.p for layer in of_type(ours, StochasticDepth)] == pytest.approx(left_out)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_prepared_as_for_torchvisions_weights(name):
    theirs = torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms()
    ours = MODELS[name].preprocess
    assert [[ours.size[0]], [ours.resize[0]]] == [theirs.crop_size, theirs.resize_size]
    assert ours.interpolation == theirs.interpolation.value
    assert (list(ours.mean), list(ours.std)) == (theirs.mean, theirs.std)


@pytest.mark.parametrize(("name", "side", "millions", "billions"), TABLE_2)
def test_sizes_and_costs_are_about_the_papers(name, side, millions, billions):
    """The paper's figures and the counts are up to 5 % apart."""
    found = describe(on_meta(name), (side, side))
    assert found.parameters / 1e6 == pytest.approx(millions, rel=0.02)
    assert found.multiply_adds / 1e9 == pytest.approx(billions, rel=0.05)


@pytest.mark.parametrize(("number", "blocks"), [*enumerate((16, 23, 23, 26, 32, 39, 45, 55))])
def test_depth_grows(number, blocks):
    found = of_type(on_meta(NAMES[number]), InvertedResidual)
    assert len(found) == blocks
    assert all(block.adds_input == any(of_type(block, StochasticDepth)) for block in found)


def test_maps_of_b0_are_as_large_as_in_table_1():
    sizes = [(32, 112), (16, 112), (24, 56), (40, 28), (80, 14), (112, 14), (192, 7), (320, 7), (1280, 7)]
    outputs = [row.output for row in describe(on_meta("efficientnet_b0")).rows]
    assert outputs == [*((channels, side, side) for channels, side in sizes), (1000,)]


@pytest.mark.parametrize("key", ["features.9.0.weight", "features.1.0.block.9.0.weight", "features.1.0.weight", "classifier.0.weight", ""])
def test_keys_that_are_not_torchvisions_stay(key):
    assert efficientnet_key(key) == key
