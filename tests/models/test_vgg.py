from itertools import chain

import pytest
import torch
import torchvision
from torch import nn

from neocog.layers import LocalResponseNorm
from neocog.models import MODELS, create_model
from neocog.models.vgg import vgg16_key

FOREIGN = ["vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]
TABLE_2 = {"vgg11": 133, "vgg11_lrn": 133, "vgg13": 133, "vgg16_1x1": 134, "vgg16": 138, "vgg19": 144}  # millions of parameters
WEIGHT_LAYERS = {"vgg11": 11, "vgg11_lrn": 11, "vgg13": 13, "vgg16_1x1": 16, "vgg16": 16, "vgg19": 19}


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def slow_but(name, names):
    return [one if one == name else pytest.param(one, marks=pytest.mark.slow) for one in names]


@pytest.mark.parametrize("name", slow_but("vgg11_bn", FOREIGN))
def test_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    mapped = {MODELS[name].key_map(key): tensor for key, tensor in theirs.items()}
    assert mapped.keys() == ours.keys()
    assert all(torch.equal(ours[key], tensor) for key, tensor in mapped.items())


@pytest.mark.parametrize("name", FOREIGN)
def test_torchvisions_keys_are_ours(name):
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None).state_dict()
    ours = on_meta(name).state_dict()
    mapped = {MODELS[name].key_map(key): tensor.shape for key, tensor in theirs.items()}
    assert mapped == {key: tensor.shape for key, tensor in ours.items()}


def test_logits_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.vgg16(weights=None).eval()
    with torch.device("meta"):
        ours = create_model("vgg16").eval()
    ours.load_state_dict({vgg16_key(key): tensor for key, tensor in theirs.state_dict().items()}, assign=True)
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("key", ["features.1.weight", "classifier.2.weight", "weight", ""])
def test_keys_that_are_not_torchvisions_stay(key):
    assert vgg16_key(key) == key


@pytest.mark.parametrize("name", TABLE_2)
def test_parameters_in_millions_are_table_2s(name):
    assert round(sum(parameter.numel() for parameter in on_meta(name).parameters()) / 1e6) == TABLE_2[name]


@pytest.mark.parametrize("name", WEIGHT_LAYERS)
def test_weight_layers_are_as_many_as_the_name_says(name):
    assert sum(isinstance(layer, (nn.Conv2d, nn.Linear)) for layer in on_meta(name).modules()) == WEIGHT_LAYERS[name]


def test_column_c_is_column_d_with_three_1x1_kernels():
    kernels = {}
    for name in ("vgg16", "vgg16_1x1"):
        found = on_meta(name).named_modules()
        kernels[name] = {key: layer.kernel_size for key, layer in found if isinstance(layer, nn.Conv2d)}
    assert kernels["vgg16"].keys() == kernels["vgg16_1x1"].keys()
    smaller = [f"stages.stage{number}.conv3" for number in (3, 4, 5)]
    assert [key for key, kernel in kernels["vgg16_1x1"].items() if kernel != (3, 3)] == smaller
    fewer = 8 * (256**2 + 512**2 + 512**2)
    assert MODELS["vgg16"].parameters - MODELS["vgg16_1x1"].parameters == fewer


def test_a_lrn_is_a_with_the_first_map_normalised():
    plain, normalised = on_meta("vgg11"), on_meta("vgg11_lrn")
    assert list(plain.state_dict()) == list(normalised.state_dict())
    names = {one: [name for name, _ in network.named_modules()] for one, network in (("plain", plain), ("normalised", normalised))}
    assert set(names["normalised"]) - set(names["plain"]) == {"stages.stage1.response_norm"}
    norm = normalised.stages["stage1"][-1]
    assert isinstance(norm, LocalResponseNorm)
    assert (norm.size, norm.alpha, norm.beta, norm.k) == (5, 1e-4, 0.75, 2.0)


@pytest.mark.parametrize("name", ["vgg11_bn", "vgg19_bn"])
def test_batch_norm_stands_between_each_convolution_and_its_rectifier(name):
    layers = [layer for layer in chain(*on_meta(name).stages.values()) if not isinstance(layer, nn.MaxPool2d)]
    triples = zip(layers[::3], layers[1::3], layers[2::3], strict=True)
    assert all(
        isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and isinstance(activation, nn.ReLU)
        for conv, norm, activation in triples
    )
    widths = [norm.num_features for norm in layers[1::3]]
    assert MODELS[name].parameters - MODELS[name.removesuffix("_bn")].parameters == 2 * sum(widths)


@pytest.mark.parametrize("name", [*TABLE_2, "vgg16_bn"])
def test_maps_halve_from_stage_to_stage(name):
    network = on_meta(name)
    maps = network.feature_maps(torch.empty(1, 3, 224, 224, device="meta"), list(network.stages))
    expected = [(64, 224), (128, 112), (256, 56), (512, 28), (512, 14)]
    assert [(found.shape[1], found.shape[2]) for found in maps.values()] == expected
