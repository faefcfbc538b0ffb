import re

import pytest
import torch
from torch.nn import functional

from neocog.layers import Reach, TableConvolution, reach

TABLE = ((0, 2), (1,), (2, 0, 1))


def dense(layer):
    weight = torch.zeros(3, 3, 2, 2)
    kernels = iter(layer.weight)
    for output, inputs in enumerate(TABLE):
        for source in inputs:
            weight[output, source] = next(kernels)
    return weight


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_a_convolution_whose_other_kernels_are_0(stride, bias):
    layer = TableConvolution(TABLE, 3, 2, stride=stride, bias=bias)
    if bias:
        torch.nn.init.normal_(layer.bias)
    maps = torch.randn(2, 3, 7, 6)
    torch.testing.assert_close(layer(maps), functional.conv2d(maps, dense(layer), layer.bias, stride))


def test_pairs_that_are_not_connected_have_no_parameters():
    layer = TableConvolution(TABLE, 3, 2)
    assert {name: tuple(p.shape) for name, p in layer.named_parameters()} == {"weight": (6, 2, 2), "bias": (3,)}
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_gradients_are_those_of_finite_differences():
    layer = TableConvolution(TABLE, 3, 2).double()
    maps = torch.randn(1, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    names = ("weight", "bias")
    values = tuple(getattr(layer, name).detach().clone().requires_grad_() for name in names)
    assert torch.autograd.gradcheck(
        lambda maps, *values: torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (maps,)), (maps, *values)
    )


def test_initial_weights_go_by_the_inputs_of_their_own_map():
    torch.manual_seed(0)
    layer = TableConvolution([range(8)] * 20 + [(0,)] * 100, 8, 5)
    for weights, fan_in in ((layer.weight[:160], 200), (layer.weight[160:], 25)):
        assert 0.99 * 2.4 / fan_in < weights.abs().max() <= 2.4 / fan_in
    assert not layer.bias.any()


def test_reach_and_cost_are_those_of_a_convolution():
    layer = TableConvolution(TABLE, 3, 5, stride=2)
    assert reach(layer, Reach(2, 6, 7), 32) == Reach(4, 14, 15)
    assert layer.multiply_adds(torch.empty(2, 3, 10, 4)) == 2 * 40 * 6 * 25


def test_what_it_prints():
    assert str(TableConvolution(TABLE, 3, 5, stride=2)) == "TableConvolution(3, 3, connections=6, kernel=5, stride=2)"


@pytest.mark.parametrize(("inputs", "found"), [((), "()"), ((0, 0), "(0, 0)"), ((0, 3), "(0, 3)"), ((-1,), "(-1,)")])
def test_a_table_that_cannot_be_is_refused(inputs, found):
    expected = f"expected some of the maps 0 to 2, each once, for every output map, found {found}"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        TableConvolution([(0,), inputs], 3, 5)
