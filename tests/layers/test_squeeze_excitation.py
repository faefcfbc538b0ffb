import pytest
import torch
import torchvision
from torch import nn

from neocog.layers import Reach, SqueezeExcitation, recorded_reaches


@pytest.mark.parametrize(("activation", "gate"), [(nn.ReLU, nn.Sigmoid), (nn.SiLU, nn.Sigmoid), (nn.ReLU, nn.Hardsigmoid)])
def test_equals_torchvisions(activation, gate):
    theirs = torchvision.ops.SqueezeExcitation(8, 2, activation, gate)
    ours = SqueezeExcitation(8, 2, activation(), gate())
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    maps = torch.randn(2, 8, 5, 7)
    assert torch.equal(ours(maps), theirs(maps))


def test_without_anything_else_the_papers_functions_are_used():
    ours = SqueezeExcitation(4, 2)
    assert (type(ours.activation), type(ours.gate)) == (nn.ReLU, nn.Sigmoid)


def test_each_channel_gets_the_factor_that_the_formula_gives():
    layer = SqueezeExcitation(2, 1)
    with torch.no_grad():
        layer.squeeze.weight.copy_(torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1))
        layer.squeeze.bias.fill_(-1.0)
        layer.excite.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        layer.excite.bias.copy_(torch.tensor([0.0, 3.0]))
    maps = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])  # means 2 and 1, so relu(2 + 2 - 1) = 3 between the layers
    factors = 1 / (1 + torch.exp(torch.tensor([-3.0, 0.0])))
    torch.testing.assert_close(layer(maps), maps * factors[:, None, None])


def test_that_it_sees_the_whole_picture_is_not_counted_outside_of_it():
    layer = SqueezeExcitation(4, 2)
    with recorded_reaches() as record:
        assert layer.reach(Reach(4, 11, 11), 32) == Reach(4, 11, 11)
    assert record[layer.squeeze] == record[layer.excite] == Reach(32, 32, 32)


def test_the_maps_are_not_changed_in_place():
    maps = torch.randn(1, 4, 3, 3)
    before = maps.clone()
    SqueezeExcitation(4, 2)(maps)
    assert torch.equal(maps, before)
