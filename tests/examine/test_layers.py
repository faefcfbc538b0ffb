"""Which module a name means, and what is said when it means none."""

import pytest
from torch import nn

from examine.handmade import asked
from neocog.errors import UsageError
from neocog.examine.layers import find_layer, last_map


def trained():
    stages = {
        "first": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()),
        "second": nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1)),
        "small": nn.AdaptiveAvgPool2d(1),
        "dense": nn.Sequential(nn.Flatten(), nn.Linear(6, 5)),
    }
    return asked(stages, nn.Linear(5, 2), channels=(4, 6, 6, 5), size=8)


@pytest.mark.parametrize(
    ("name", "found"),
    [("first", "stages.first"), ("second.1", "stages.second.1"), ("stages.second.0", "stages.second.0"), ("head", "head")],
)
def test_stages_and_modules_are_found(name, found):
    assert find_layer(trained(), name) == found


def test_a_layer_that_is_not_there_is_refused_with_the_stages():
    with pytest.raises(UsageError) as error:
        find_layer(trained(), "layer7")
    assert error.value.args == (
        "the name of a layer of handmade",
        "'layer7'",
        "its stages are first, second, small, dense; a module inside one has a dotted name, as first.0",
    )
    with pytest.raises(UsageError) as error:
        find_layer(trained(), "secnd")
    assert error.value.remedy.startswith("did you mean second or second.1")
    assert "Its stages are first, second, small, dense" in error.value.remedy


def test_a_network_without_stages_lists_its_modules():
    with pytest.raises(UsageError) as error:
        find_layer(asked({}, nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), channels=(), size=8), "conv")
    assert error.value.remedy == "choose one of head, head.0, head.1"


def test_the_last_map_is_the_last_that_tells_places_apart():
    assert last_map(trained(), "grad_cam") == "stages.second"
    flat = asked({"only": nn.AdaptiveAvgPool2d(1)}, nn.Sequential(nn.Flatten(), nn.Linear(1, 2)), channels=(1,), size=8)
    assert last_map(flat, "grad_cam") == "stages.only"


def test_a_network_without_maps_has_none():
    dense = asked({"dense": nn.Sequential(nn.Flatten(), nn.Linear(64, 5))}, nn.Linear(5, 2), channels=(5,), size=8)
    with pytest.raises(UsageError) as error:
        last_map(dense, "grad_cam")
    assert error.value.args == ("a network with feature maps, for grad_cam", "handmade, which has none", "choose another method")
