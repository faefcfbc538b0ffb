import math

import pytest
import torch
from torch import nn

from neocog.models import MODELS, create_model, describe

NAMES = ["prelu_net_a", "prelu_net_b", "prelu_net_c"]
DEPTHS = {"prelu_net_a": 19, "prelu_net_b": 22, "prelu_net_c": 22}
OPERATIONS = {"prelu_net_a": 1.90, "prelu_net_b": 2.32, "prelu_net_c": 5.30}  # times 10^10, table 3
COLUMNS = {"prelu_net_a": ((256, 512, 512), 5), "prelu_net_b": ((256, 512, 512), 6), "prelu_net_c": ((384, 768, 896), 6)}


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_weight_layers_are_as_many_as_table_3_says(name):
    assert sum(isinstance(layer, (nn.Conv2d, nn.Linear)) for layer in on_meta(name).modules()) == DEPTHS[name]


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_table_3s(name):
    assert describe(on_meta(name)).multiply_adds / 1e10 == pytest.approx(OPERATIONS[name], rel=0.01)


def test_c_costs_2_3_times_as_much_as_b():
    cost = {name: describe(on_meta(name)).multiply_adds for name in NAMES}
    assert cost["prelu_net_c"] / cost["prelu_net_b"] == pytest.approx(2.3, abs=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_in_closed_form(name):
    widths, depth = COLUMNS[name]
    stem = 96 * 3 * 7**2 + 96
    inputs = (96, *widths)
    first = sum(9 * before * after for before, after in zip(inputs[:-1], widths, strict=True))
    rest = sum((depth - 1) * 9 * width * width for width in widths)
    biases = depth * sum(widths)
    slopes = 96 + depth * sum(widths) + 2 * 4096  # one a channel
    dense = (widths[-1] * 63 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert stem + first + rest + biases + slopes + dense == MODELS[name].parameters


@pytest.mark.parametrize("name", NAMES)
def test_every_hidden_layer_has_a_slope_for_each_of_its_channels(name):
    network = on_meta(name)
    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    slopes = [layer for layer in network.modules() if isinstance(layer, nn.PReLU)]
    assert [slope.num_parameters for slope in slopes] == [len(layer.weight) for layer in layers[:-1]]


@pytest.mark.parametrize("name", NAMES)
def test_maps_have_the_sides_of_table_3(name):
    network = on_meta(name)
    maps = network.feature_maps(torch.empty(1, 3, 224, 224, device="meta"), list(network.stages))
    assert [found.shape[2] for found in maps.values()] == [112, 56, 28, 14]
    pyramid = network.head.pyramid(maps["stage3"])
    assert pyramid.shape == (1, COLUMNS[name][0][-1] * 63)


def test_initial_weights_are_the_papers():
    torch.manual_seed(0)
    network = create_model("prelu_net_a", num_classes=300)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            outputs = len(layer.weight) * (math.prod(layer.kernel_size) if isinstance(layer, nn.Conv2d) else 1)
            assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / ((1 + 0.25**2) * outputs)), rel=0.03)
            assert not layer.bias.any()
        if isinstance(layer, nn.PReLU):
            assert set(layer.weight.tolist()) == {0.25}


def test_it_is_built_where_torch_is_told_to():
    assert {parameter.device.type for parameter in on_meta("prelu_net_a").parameters()} == {"meta"}
