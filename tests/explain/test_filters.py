import math

import pytest
import torch
from torch import nn

from neocog.errors import UsageError
from neocog.explain.filters import first_layer_with_kernels, fit_all, kernels_of, layers_with_kernels, summarise
from neocog.layers import TableConvolution, gabor

IMAGE = (3, 8, 8)


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ConvTranspose2d(4, 6, 2), nn.Flatten(), nn.Linear(5, 2))


def test_layers_whose_weights_are_pictures_are_found():
    assert layers_with_kernels(network(), IMAGE) == ["0", "2"]
    templates = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))
    assert layers_with_kernels(templates, IMAGE) == ["1"]
    assert first_layer_with_kernels(templates, IMAGE) == "1"


def test_kernels_are_the_weights():
    module = network()
    assert torch.equal(kernels_of(module, "0", IMAGE), module[0].weight)
    assert torch.equal(kernels_of(module, "2", IMAGE), module[2].weight.transpose(0, 1))  # one for each output
    templates = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))
    image = torch.rand(3, 8, 8)
    answers = (kernels_of(templates, "1", IMAGE) * image).sum((1, 2, 3))
    assert torch.allclose(answers + templates[1].bias, templates(image[None])[0], atol=1e-5)
    table = nn.Sequential(TableConvolution([(0, 1), (2,)], 3, 5))
    assert kernels_of(table, "0", IMAGE).shape == (3, 1, 5, 5)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("1", "expected: a layer with kernels\nfound: 1, a ReLU\nto do: choose one of 0, 2"),
        ("conv", "expected: a layer with kernels\nfound: 'conv'\nto do: choose one of 0, 2"),
    ],
)
def test_other_layers_are_refused(layer, text):
    with pytest.raises(UsageError) as error:
        kernels_of(network(), layer, IMAGE)
    assert str(error.value) == text


def test_a_network_without_pictures_for_weights_is_refused():
    with pytest.raises(UsageError) as error:
        first_layer_with_kernels(nn.Sequential(nn.Flatten(), nn.ReLU()), IMAGE)
    expected = "expected: a network with convolutions, or dense layers that see the image\n"
    assert str(error.value) == f"{expected}found: Sequential, which has neither\nto do: its weights are no pictures"
    with pytest.raises(UsageError, match="none of its layers has any"):
        kernels_of(nn.Sequential(nn.Flatten(), nn.ReLU()), "1", IMAGE)


def test_the_summary_counts_directions():
    degrees = [0, 44, 45, 46, 90, 176]  # 176 is nearer to 180, which is 0
    kernels = torch.stack([gabor(9, 4.0, math.radians(angle), sigma=2.0) for angle in degrees])[:, None]
    found = summarise(fit_all(kernels))
    assert found.histogram == (2, 0, 3, 0, 1, 0, 0, 0)
    assert (found.kernels, found.oriented) == (6, 6)
    assert found.frequency == pytest.approx(0.25, rel=1e-3)
    doubled = [2 * math.radians(angle) for angle in degrees]
    length = math.hypot(sum(map(math.cos, doubled)), sum(map(math.sin, doubled))) / 6
    assert found.resultant == pytest.approx(length, abs=1e-3)


def test_what_has_no_direction_is_not_counted():
    found = summarise([*fit_all(torch.ones(2, 1, 5, 5)), None])
    assert (found.kernels, found.oriented, sum(found.histogram)) == (2, 0, 0)
    assert found.frequency is None
    assert found.resultant is None
    assert fit_all(torch.ones(2, 3, 1, 1)) == [None, None]
    assert summarise([]).explained is None
