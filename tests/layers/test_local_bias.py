import torch

from neocog.layers import LocalBias, Reach, reach


def test_each_unit_has_its_own_bias():
    layer = LocalBias(2, 3, 4)
    maps = torch.randn(5, 2, 3, 4)
    assert torch.equal(layer(maps), maps)
    with torch.no_grad():
        layer.bias[1, 2, 3] = 0.5
    changed = layer(maps) - maps
    assert (changed != 0).nonzero().tolist() == [[image, 1, 2, 3] for image in range(5)]
    assert sum(parameter.numel() for parameter in layer.parameters()) == 24


def test_it_looks_no_further_and_multiplies_nothing():
    layer = LocalBias(1, 2, 2)
    assert reach(layer, Reach(2, 5, 7), 16) == Reach(2, 5, 7)
    assert layer.multiply_adds(torch.zeros(1, 1, 2, 2)) == 0
