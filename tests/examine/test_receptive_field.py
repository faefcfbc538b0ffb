import pytest
import torch
from torch import nn

from examine.handmade import asked
from examine.requesting import convolutional, data_of, request
from neocog.errors import UsageError
from neocog.examine.receptive_field import ReceptiveFieldOptions, receptive_field
from neocog.layers import SqueezeExcitation


def looked(trained, layer=None, **options):
    return receptive_field(request(trained, data_of(3), ReceptiveFieldOptions(**options), layer=layer))


def test_what_was_found_is_what_kernels_allow():
    first, second = looked(convolutional()).facts["layers"]
    assert (first["analytic_size"], first["probed_size"], first["place"], first["map"]) == ([3, 3], [3, 3], [4, 4], [8, 8])
    assert first["analytic"] == first["probed"] == [3, 3, 6, 6]
    assert (second["analytic"], second["on_picture"]) == ([1, 1, 9, 9], [1, 1, 8, 8])
    assert second["stride"] == 2
    assert second["inside"]
    assert second["probed"] == [1, 1, 8, 8]


def test_a_place_can_be_named():
    (first,) = looked(convolutional(), "first", row=0, column=7).facts["layers"]
    assert (first["analytic"], first["on_picture"], first["probed"]) == ([-1, 6, 2, 9], [0, 6, 2, 8], [0, 6, 2, 8])
    with pytest.raises(UsageError) as error:
        looked(convolutional(), "second", row=4)
    assert error.value.args == ("a place within second, 4x4", "row 4, column 2", "choose another")


def test_a_factor_from_the_whole_picture_is_told():
    torch.manual_seed(0)
    stages = {"first": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), SqueezeExcitation(4, 2))}
    trained = asked(stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), channels=(4,), size=8, classes=3)
    found = looked(trained)
    assert found.facts["layers"][0]["probed"] == [0, 0, 8, 8]
    assert not found.facts["layers"][0]["inside"]
    words = "a factor from the whole picture (squeeze and excitation) is not counted"
    assert found.lines == [f"more than kernels and strides allow: first; {words}"]
