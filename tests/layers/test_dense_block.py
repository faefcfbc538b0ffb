import torch

from neocog.layers import DenseLayer, Reach, dense_block, preactivated, reach


def test_a_layer_hands_on_what_it_was_given():
    layer = DenseLayer(6, 4)
    maps = torch.randn(2, 6, 5, 5)
    before = maps.clone()
    out = layer(maps)
    assert out.shape == (2, 10, 5, 5)
    assert torch.equal(out[:, :6], before)
    assert torch.equal(maps, before)
    assert layer.reduce.conv.weight.shape == (16, 6, 1, 1)
    assert layer.grow.conv.weight.shape == (4, 16, 3, 3)


def test_every_layer_sees_all_before_it():
    block = dense_block(6, 3, growth_rate=4).eval()
    maps = torch.randn(2, 6, 5, 5)
    features = [maps]
    for layer in block:
        features.append(layer.grow(layer.reduce(torch.cat(features, dim=1))))
    torch.testing.assert_close(block(maps), torch.cat(features, dim=1))


def test_each_layer_looks_two_points_further():
    assert reach(dense_block(6, 3, growth_rate=4), Reach(4, 11, 11), 64) == Reach(4, 11 + 3 * 8, 11 + 3 * 8, -12, -12)


def test_normalisation_and_relu_come_first():
    unit = preactivated(3, 5, 3).eval()
    assert [name for name, _ in unit.named_children()] == ["norm", "activation", "conv"]
    maps = -torch.rand(1, 3, 4, 4)
    assert not unit(maps).any()
