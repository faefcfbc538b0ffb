import pytest
import torch
import torchvision
from torch import nn

from neocog.models import create_model, describe
from neocog.models.alexnet import alexnet_key

SIDES = (55, 27, 13, 13, 13)  # of the five maps
DENSE = 4096


@pytest.fixture(scope="module")
def paper():
    torch.manual_seed(0)
    return create_model("alexnet_2012").eval()


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def layers(network):
    return [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]


def test_the_papers_parameters_layer_by_layer():
    expected = [
        96 * 3 * 11**2 + 96,
        256 * 48 * 5**2 + 256,
        384 * 256 * 3**2 + 384,
        384 * 192 * 3**2 + 384,
        256 * 192 * 3**2 + 256,
        DENSE * 6 * 6 * 256 + DENSE,
        DENSE * DENSE + DENSE,
        1000 * DENSE + 1000,
    ]
    assert expected[0] == 34_944
    assert [layer.weight.numel() + layer.bias.numel() for layer in layers(on_meta("alexnet_2012"))] == expected
    assert sum(expected) == 60_965_224


@pytest.mark.parametrize("name", ["alexnet", "alexnet_2012"])
def test_maps_have_the_papers_sides(name):
    rows = describe(on_meta(name)).rows
    channels = (96, 256, 384, 384, 256) if name == "alexnet_2012" else (64, 192, 384, 256, 256)
    assert [row.output for row in rows[:-1]] == [(width, side, side) for width, side in zip(channels, SIDES, strict=True)]


def test_the_papers_neurons_and_the_one_layer_that_is_miscounted():
    outputs = [row.output for row in describe(on_meta("alexnet_2012")).rows[:-1]]
    counted = [*(width * height * channels for channels, height, width in outputs), DENSE, DENSE, 1000]
    figure = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert counted[1:] == figure[1:]
    assert counted[0] == 55 * 55 * 96 == 290_400
    assert figure[0] == 55 * 48 * 96
    assert (sum(counted), sum(figure)) == (659_272, 622_312)


def test_conv1_fits_227_pixels_but_not_the_224_of_the_figure():
    assert (227 - 11) % 4 == 0
    assert (224 - 11) % 4 != 0


@pytest.mark.parametrize("stage", ["conv2", "conv4", "conv5"])
def test_a_half_of_the_maps_sees_a_half(paper, stage):
    convolution = paper.stages[stage].conv
    maps = torch.randn(1, convolution.in_channels, 5, 5, requires_grad=True)
    first, second = convolution(maps).chunk(2, dim=1)
    half = convolution.in_channels // 2
    (gradient,) = torch.autograd.grad(first.sum(), maps, retain_graph=True)
    assert gradient[:, :half].any()
    assert not gradient[:, half:].any()
    (gradient,) = torch.autograd.grad(second.sum(), maps)
    assert not gradient[:, :half].any()


@pytest.mark.parametrize("stage", ["conv1", "conv3"])
def test_other_maps_see_all(paper, stage):
    assert paper.stages[stage].conv.groups == 1


def test_responses_are_normalised_after_the_rectifier_of_the_first_two_layers(paper):
    orders = [[name for name, _ in stage.named_children()] for stage in paper.stages.values()]
    assert orders == [
        ["conv", "activation", "norm"],
        ["pool", "conv", "activation", "norm"],
        ["pool", "conv", "activation"],
        ["conv", "activation"],
        ["conv", "activation"],
    ]
    norm = paper.stages["conv2"].norm
    maps = torch.rand(1, 7, 1, 1) * 100
    window = (maps[0, 1:6] ** 2).sum()
    torch.testing.assert_close(norm(maps)[0, 3, 0, 0], maps[0, 3, 0, 0] / (2 + 1e-4 * window) ** 0.75)


def test_pooling_overlaps(paper):
    pools = [layer for layer in paper.modules() if isinstance(layer, nn.MaxPool2d)]
    assert [(pool.kernel_size, pool.stride) for pool in pools] == [(3, 2)] * 3


def test_the_papers_initial_weights(paper):
    biases = [set(layer.bias.tolist()) for layer in layers(paper)]
    assert biases == [{0.0}, {1.0}, {0.0}, {1.0}, {1.0}, {1.0}, {1.0}, {0.0}]
    for layer in layers(paper):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
        assert layer.weight.mean().item() == pytest.approx(0, abs=3e-4)


def test_where_half_is_dropped():
    front = ["pool", "average", "flatten"]
    assert [name for name, _ in on_meta("alexnet_2012").head.named_children()] == [
        *front,
        *("fc1", "activation1", "dropout1", "fc2", "activation2", "dropout2", "fc3"),
    ]
    assert [name for name, _ in on_meta("alexnet").head.named_children()] == [
        *front,
        *("dropout1", "fc1", "activation1", "dropout2", "fc2", "activation2", "fc3"),
    ]


def test_initial_weights_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.alexnet(weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model("alexnet").state_dict()
    assert {alexnet_key(key) for key in theirs} == ours.keys()
    assert all(torch.equal(ours[alexnet_key(key)], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize("key", ["features.1.weight", "classifier.2.weight", "features.100.weight", "weight", ""])
def test_keys_that_are_not_torchvisions_stay(key):
    assert alexnet_key(key) == key
