import math

import pytest
import torch

from examine.requesting import convolutional, request
from neocog.errors import UsageError
from neocog.examine.sift import SiftOptions, sift
from neocog.images import encode_png
from neocog.layers import gabor


def planted():
    """`convolutional` with filters of four directions."""
    trained = convolutional()
    layer = torch.nn.Conv2d(1, 4, 5, padding=2)
    with torch.no_grad():
        waves = [gabor(5, 4.0, math.radians(angle), sigma=1.2, phase=math.pi / 2) for angle in (0, 45, 90, 135)]
        layer.weight.copy_(torch.stack(waves)[:, None])
        layer.bias.zero_()
    trained.model.stages["first"][0] = layer
    return trained


def looked(tmp_path, trained, picture, **options):
    (tmp_path / "a.png").write_bytes(encode_png(picture))
    return sift(request(trained, None, SiftOptions(**options), pictures=(tmp_path / "a.png",), arrays=True))


def edge(degrees):
    """Brightness that rises in a direction, from rightwards by downwards."""
    steps = torch.arange(8.0) - 3.5
    rise = steps * math.cos(math.radians(degrees)) + steps[:, None] * math.sin(math.radians(degrees))
    return (127.5 + 120 * torch.tanh(rise)).round().to(torch.uint8)[None]


@pytest.mark.parametrize("unit", range(4))
def test_both_answer_to_an_edge_in_its_direction(tmp_path, unit):
    found = looked(tmp_path, planted(), edge(45 * unit), patch=8)
    assert found.arrays["1_sift"].sum((0, 1)).argmax() == unit
    assert found.arrays["1_learnt"].sum((0, 1)).argmax() == unit
    assert found.facts["pictures"][0]["strongest"][0] == unit
    assert found.facts["pictures"][0]["cosine"] > 0.5


def test_a_patch_must_lie_within_the_image(tmp_path):
    with pytest.raises(UsageError) as error:
        looked(tmp_path, planted(), edge(0), patch=9)
    assert error.value.args == ("a patch of at most 8 pixels", "9", "choose a smaller one")
    with pytest.raises(UsageError) as error:
        looked(tmp_path, planted(), edge(0), patch=8, row=1)
    assert error.value.args == ("a patch of 8 pixels within 8x8", "one at row 1, column 0", "choose another place")


def test_filters_without_a_direction_are_refused(tmp_path):
    trained = convolutional()
    with torch.no_grad():
        trained.model.stages["first"][0].weight.fill_(1.0)
    with pytest.raises(UsageError) as error:
        looked(tmp_path, trained, edge(0))
    found = "none of 4 in first.0 of handmade"
    assert error.value.args == ("a first layer with oriented filters, for sift", found, "look at them by --method filters")
