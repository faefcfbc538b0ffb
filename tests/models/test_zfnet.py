import pytest
import torch
from torch import nn

from neocog.models import create_model


@pytest.fixture(scope="module")
def network():
    with torch.device("meta"):
        return create_model("zfnet").eval()


def layers(network):
    return [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]


def sides(network, *modules):
    """Of the maps that modules of some kinds make, in order."""
    found = []
    handles = [
        module.register_forward_hook(lambda module, inputs, output: found.append(output.shape[-1]))
        for module in network.modules()
        if isinstance(module, modules)
    ]
    network(torch.empty(1, 3, *network.preprocess.size, device="meta"))
    for handle in handles:
        handle.remove()
    return found


def test_parameters_layer_by_layer(network):
    expected = [
        96 * 3 * 7**2 + 96,
        256 * 96 * 5**2 + 256,
        384 * 256 * 3**2 + 384,
        384 * 384 * 3**2 + 384,
        256 * 384 * 3**2 + 256,
        4096 * 6 * 6 * 256 + 4096,
        4096 * 4096 + 4096,
        1000 * 4096 + 1000,
    ]
    assert [layer.weight.numel() + layer.bias.numel() for layer in layers(network)] == expected
    assert sum(expected) == 62_357_608


def test_maps_have_the_sides_of_the_papers_figure(network):
    assert sides(network, nn.Conv2d, nn.MaxPool2d) == [110, 55, 26, 13, 13, 13, 13, 6]


def test_225_pixels_need_no_padding_to_give_the_same_sides():
    assert (225 - 7) / 2 + 1 == 110
    assert (224 + 2 - 7) // 2 + 1 == 110


def test_pooling_comes_before_the_normalisation(network):
    orders = [[name for name, _ in stage.named_children()] for stage in network.stages.values()]
    assert orders == [["conv", "activation"], *[["pool", "norm", "conv", "activation"]] * 2, *[["conv", "activation"]] * 2]


def test_initial_weights():
    torch.manual_seed(0)
    for layer in layers(create_model("zfnet")):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
        assert not layer.bias.any()
