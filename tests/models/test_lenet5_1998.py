import hashlib
from itertools import combinations

import pytest
import torch
from torch import nn

from neocog.layers import Reach, TableConvolution, reach
from neocog.models import create_model, describe
from neocog.models.lenet5_1998 import CodeDistance, Subsampling, codes, connections


@pytest.fixture
def model():
    torch.manual_seed(0)
    return create_model("lenet5_1998", in_channels=1)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_trainable_parameters_of_each_layer_are_the_papers(model):
    layers = {**model.stages, "c5": model.head.c5, "f6": model.head.f6, "output": model.head.output}
    expected = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}
    assert {name: count(layer) for name, layer in layers.items()} == expected
    assert count(model) == sum(expected.values()) == 60_000
    assert expected["c1"] == 6 * (25 + 1)
    assert expected["c3"] == 60 * 25 + 16
    assert expected["c5"] == 120 * (400 + 1)
    assert expected["f6"] == 84 * (120 + 1)


def test_connections_of_each_layer_are_the_papers(model):
    lines = {}

    def note(module, inputs, output):
        units = output.numel()
        if isinstance(module, TableConvolution):
            lines[module] = module.weight.numel() * units // 16 + units
        elif isinstance(module, Subsampling):
            lines[module] = units * (4 + 1)
        elif isinstance(module, CodeDistance):
            lines[module] = module.codes.numel()
        else:
            lines[module] = units * (module.weight[0].numel() + 1)

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, TableConvolution, Subsampling, CodeDistance)):
            module.register_forward_hook(note)
    model(torch.zeros(1, 1, 28, 28))
    assert list(lines.values()) == [122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840]
    assert sum(lines.values()) == 340_908


def test_multiplications_are_the_connections_that_have_a_weight(model):
    # Without the biases; a unit of S2 and S4 multiplies once, whatever it adds up.
    units = {"c1": 4_704, "s2": 1_176, "c3": 1_600, "s4": 400, "c5": 120, "f6": 84}
    expected = 340_908 - sum(units.values()) - 4 * (units["s2"] + units["s4"])
    assert expected + units["s2"] + units["s4"] == describe(model).multiply_adds == 328_096


def test_maps_have_the_papers_sizes(model):
    maps = model.feature_maps(torch.zeros(1, 1, 28, 28), ["c1", "s2", "c3", "s4"])
    assert [tuple(item.shape[1:]) for item in maps.values()] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


def test_table_i_is_as_the_paper_describes_it():
    table = connections()
    assert [len(seen) for seen in table] == [3] * 6 + [4] * 9 + [6]
    rounds = [{(start + step) % 6 for step in range(length)} for length in (3, 4) for start in range(6)]
    assert [set(seen) for seen in table[:12]] == rounds
    for seen in table[12:15]:  # four that are not neighbours all
        assert set(seen) not in rounds
    assert len(set(table)) == 16
    assert all(sum(source in seen for seen in table) == 10 for source in range(6))


def test_a_map_of_c3_changes_with_the_maps_that_it_sees_alone(model):
    maps = torch.randn(1, 6, 14, 14)
    before = model.stages["c3"](maps)
    for source in range(6):
        changed = maps.clone()
        changed[:, source] += 1
        seen = (model.stages["c3"](changed) != before).any(dim=(0, 2, 3))
        assert seen.tolist() == [source in row for row in connections()]


def test_subsampling_is_a_scaled_sum_with_a_bias():
    layer = Subsampling(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -2.0]))
        layer.bias.copy_(torch.tensor([1.0, 0.25]))
    maps = torch.arange(2 * 3 * 5, dtype=torch.float32).view(1, 2, 3, 5)
    sums = torch.tensor([[[0 + 1 + 5 + 6, 2 + 3 + 7 + 8]], [[15 + 16 + 20 + 21, 17 + 18 + 22 + 23]]], dtype=torch.float32)
    assert torch.equal(layer(maps)[0], sums * torch.tensor([[[0.5]], [[-2.0]]]) + torch.tensor([[[1.0]], [[0.25]]]))


def test_subsampling_reaches_as_far_as_pooling():
    assert reach(Subsampling(2), Reach(2, 6, 7), 32) == reach(nn.AvgPool2d(2), Reach(2, 6, 7), 32) == Reach(4, 8, 9)


def test_logits_are_minus_the_squared_distances_to_the_codes():
    layer = CodeDistance(10)
    units = layer.codes[[7, 2]] * torch.tensor([[1.0], [0.5]])
    logits = layer(units)
    assert logits[0, 7] == 0
    assert logits[1, 2] == pytest.approx(-84 * 0.25)
    assert logits.argmax(dim=1).tolist() == [7, 2]
    torch.testing.assert_close(-logits, torch.cdist(units.double(), layer.codes.double()).square().float())


def test_the_codes_are_not_trained_and_are_saved(model):
    assert "head.output.codes" in model.state_dict()
    assert "head.output.codes" not in dict(model.named_parameters())
    assert model.output_layers == ()


def test_the_digits_are_drawn_on_7_by_12_pixels_and_differ():
    drawn = codes(10)
    assert drawn.shape == (10, 84)
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert min(int((drawn[a] != drawn[b]).sum()) for a, b in combinations(range(10), 2)) >= 6
    pictures = drawn.view(10, 12, 7)
    for digit in (0, 8):
        assert torch.equal(pictures[digit], pictures[digit].flip(1))
    assert torch.equal(pictures[0], pictures[0].flip(0))
    assert torch.equal(pictures[9], pictures[6].flip(0, 1))
    assert (pictures[:, [0, -1]] == -1).all()
    assert torch.equal(codes(4), drawn[:4])


def test_more_than_ten_classes_have_bits_of_a_hash():
    many = codes(1000)
    assert torch.equal(codes(26), many[:26])
    assert len(many.unique(dim=0)) == 1000
    bits = bin(int(hashlib.sha256(b"17").hexdigest(), 16))[2:][::-1][:84]
    assert many[17].tolist() == [1.0 if bit == "1" else -1.0 for bit in bits]


def test_pixels_are_scaled_and_surrounded_as_in_the_paper(model):
    black, white = model.preprocess.normalise(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)).flatten().tolist()
    assert (black, white) == (pytest.approx(-0.1), pytest.approx(1.175))
    maps = model.stages["c1"](torch.full((1, 1, 28, 28), -0.1))
    # The border goes on as an empty image does.
    torch.testing.assert_close(maps, maps[:, :, :1, :1].expand_as(maps))


def test_initial_weights_are_uniform_up_to_2_4_over_the_fan_in(model):
    for weight, fan_in in (
        (model.stages["c1"].conv.weight, 25),
        (model.stages["c3"].conv.weight[:18], 75),
        (model.stages["c3"].conv.weight[18:54], 100),
        (model.stages["c3"].conv.weight[54:], 150),
        (model.stages["s4"].sum.weight, 4),
        (model.head.c5.weight, 400),
        (model.head.f6.weight, 120),
    ):
        assert 0.9 * 2.4 / fan_in < weight.abs().max() <= 2.4 / fan_in


@pytest.mark.parametrize(("size", "points"), [((32, 32), 25), ((8, 8), 25), ((27, 31), 25), ((64, 40), 13 * 7)])
def test_larger_images_than_32_pixels_widen_c5(size, points):
    model = create_model("lenet5_1998", in_channels=1, image_size=size)
    assert model.head.c5.in_features == 16 * points
    assert model(torch.zeros(2, 1, *size)).shape == (2, 10)


def test_it_names_the_papers_loss(model):
    assert model.loss == "maximum_a_posteriori"
