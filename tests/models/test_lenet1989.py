import pytest
import torch
from torch import nn

from neocog.layers import LocalBias, TableConvolution
from neocog.losses import squared_error
from neocog.models import create_model, describe
from neocog.models.lenet1989 import SCHEME
from neocog.targets import Labels


@pytest.fixture
def model():
    torch.manual_seed(0)
    return create_model("lenet1989", in_channels=1)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_free_parameters_of_each_layer_are_the_papers(model):
    assert count(model.stages["h1"]) == 12 * 25 + 768 == 1_068
    assert count(model.stages["h2"]) == 12 * 200 + 192 == 2_592
    assert count(model.head.h3) == 30 * (192 + 1) == 5_790
    assert count(model.head.fc) == 10 * (30 + 1) == 310
    assert count(model) == 1_068 + 2_592 + 5_790 + 310 == 9_760


def test_connections_and_units_are_the_papers(model):
    lines = {}

    def note(module, inputs, output):
        each = module.weight.numel() // 12 if isinstance(module, TableConvolution) else module.weight[0].numel()
        lines[module] = (output.numel(), each + 1)  # one more from the unit whose output is always 1: the bias

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, TableConvolution)):
            module.register_forward_hook(note)
    model(torch.zeros(1, 1, 16, 16))
    h1, h2, h3, output = list(lines.values())
    assert (h1, h2, h3, output) == ((768, 26), (192, 201), (30, 193), (10, 31))
    assert [units * inputs for units, inputs in (h1, h2, h3, output)] == [19_968, 38_592, 5_790, 310]
    assert sum(units * inputs for units, inputs in lines.values()) == 64_660
    assert 256 + sum(units for units, _ in lines.values()) == 1_256
    assert describe(model).multiply_adds == 64_660 - 1_000  # the biases are only added


def test_each_map_of_h2_sees_eight_of_h1_and_each_of_h1_is_seen_by_eight():
    assert len(SCHEME) == len(set(SCHEME)) == 12
    assert all(len(seen) == 8 for seen in SCHEME)
    assert all(sum(source in seen for seen in SCHEME) == 8 for source in range(12))
    assert (SCHEME[0], SCHEME[7]) == ((0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 2, 7, 8, 9, 10, 11))


def test_maps_have_the_papers_sizes(model):
    maps = model.feature_maps(torch.zeros(1, 1, 16, 16), ["h1", "h2"])
    assert [tuple(item.shape[1:]) for item in maps.values()] == [(12, 8, 8), (12, 4, 4)]


def test_units_of_a_map_share_their_weights_but_not_their_bias(model):
    biases = [module.bias for module in model.modules() if isinstance(module, LocalBias)]
    assert [tuple(bias.shape) for bias in biases] == [(12, 8, 8), (12, 4, 4)]
    background = torch.full((1, 1, 16, 16), -1.0)
    before = model.feature_maps(background, ["h1"])["h1"]
    # All points of an empty image are alike, those at the border too: what lies outside is background.
    torch.testing.assert_close(before, before[:, :, :1, :1].expand_as(before))
    with torch.no_grad():
        biases[0][3, 2, 5] = 1.0
    changed = model.feature_maps(background, ["h1"])["h1"] != before
    assert changed.nonzero().tolist() == [[0, 3, 2, 5]]


def test_initial_weights_are_uniform_up_to_2_4_over_the_fan_in(model):
    for weight, fan_in in (
        (model.stages["h1"].conv.weight, 25),
        (model.stages["h2"].conv.weight, 200),
        (model.head.h3.weight, 192),
        (model.head.fc.weight, 30),
    ):
        assert 0.9 * 2.4 / fan_in < weight.abs().max() <= 2.4 / fan_in
        assert weight.std().item() == pytest.approx(2.4 / fan_in / 3**0.5, rel=0.15)


def test_outputs_are_squashed_and_trained_towards_1_and_minus_1(model):
    assert model.loss == "squared_error"
    outputs = model(torch.randn(3, 1, 16, 16) * 100)
    assert outputs.abs().max() < 1.7159
    wanted = torch.full((3, 10), -1.0)
    wanted[torch.arange(3), [4, 0, 9]] = 1.0
    classes = torch.tensor([4, 0, 9])
    expected = (outputs - wanted).square().sum(dim=1).mean()
    torch.testing.assert_close(squared_error(outputs, Labels(classes, classes, torch.ones(3))), expected)


@pytest.mark.parametrize(("size", "h1", "h2"), [((28, 28), (14, 14), (7, 7)), ((17, 5), (9, 3), (5, 2))])
def test_images_of_other_sizes_have_other_maps_and_more_biases(size, h1, h2):
    model = create_model("lenet1989", in_channels=1, image_size=size)
    points = h1[0] * h1[1], h2[0] * h2[1]
    assert count(model) == 300 + 12 * points[0] + 2_400 + 12 * points[1] + 30 * (12 * points[1] + 1) + 310
    assert model(torch.zeros(2, 1, *size)).shape == (2, 10)
