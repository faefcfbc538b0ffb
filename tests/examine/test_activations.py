"""Planted dead, always active and saturated units are counted where they are."""

import torch
from torch import nn

from examine.handmade import asked, noise
from examine.requesting import convolutional, data_of, request
from neocog.errors import UsageError
from neocog.examine.activations import ActivationsOptions, activations
from neocog.images import encode_png


def planted():
    stages = {
        "rectified": nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(inplace=True)),
        "squashed": nn.Sequential(nn.Conv2d(3, 2, 1), nn.Tanh(), nn.MaxPool2d(2)),
    }
    trained = asked(stages, nn.Sequential(nn.Flatten(), nn.Linear(2 * 16, 3)), channels=(3, 2), size=8, classes=3)
    with torch.no_grad():
        first, second = stages["rectified"][0], stages["squashed"][0]
        first.weight.fill_(1.0)
        first.bias.copy_(torch.tensor([-2.0, -0.5, 0.5]))
        second.weight.fill_(0.1)
        second.bias.copy_(torch.tensor([5.0, -0.1]))
    return trained


def test_planted_units_are_counted():
    found = activations(request(planted(), data_of(12), ActivationsOptions()))
    units = found.facts["units"]
    assert units["rectified"]["dead"] == [0]
    assert units["rectified"]["always_on"] == [2]
    assert units["rectified"]["saturated"] is None
    assert units["squashed.1"]["saturated"] == [0]
    assert set(units) == {"rectified", "squashed", "squashed.1"}  # the rectifier ends its stage and is not told twice
    assert found.facts["counted_pictures"] == 12


def test_maps_are_those_of_the_network(tmp_path):
    trained = convolutional()
    (tmp_path / "a.png").write_bytes(encode_png(noise(1, 8)[0]))
    found = activations(request(trained, no_data, ActivationsOptions(), pictures=(tmp_path / "a.png",), arrays=True))
    with torch.no_grad():
        maps = trained.model.feature_maps(noise(1, 8) / 255, ["first", "second"])
    assert torch.allclose(torch.from_numpy(found.arrays["1_first"]), maps["first"][0], atol=1e-6)
    assert torch.allclose(torch.from_numpy(found.arrays["1_second"]), maps["second"][0], atol=1e-6)
    assert found.facts["counted_on"] == "the pictures that were named"
    assert found.facts["pictures"][0]["picture"] == "a.png"


def no_data():
    raise UsageError("data", "none", "name some")


def test_all_maps_of_one_layer_and_of_a_dense_one():
    one = activations(request(convolutional(), data_of(5), ActivationsOptions(), layer="first.0"))
    assert list(one.facts["units"]) == ["first.0"]
    assert one.facts["pictures"][0]["layers"]["first.0"]["shape"] == [4, 8, 8]
    dense = activations(request(convolutional(), data_of(5), ActivationsOptions(), layer="head"))
    assert dense.facts["pictures"][0]["layers"]["head"]["shape"] == [3]


def test_counts_go_over_so_many_pictures():
    found = activations(request(convolutional(), data_of(30), ActivationsOptions(counted=7)))
    assert found.facts["counted_pictures"] == 7
