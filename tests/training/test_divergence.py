"""Where a network's first bad value is."""

import pytest
import torch
from torch import nn

from neocog.training.divergence import first_bad_value


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_nothing_is_wrong(network):
    assert first_bad_value(network, lambda: network(torch.ones(1, 3))) == ""


def test_a_weight_comes_before_the_outputs_that_it_spoils(network):
    with torch.no_grad():
        network[2].bias[1] = torch.inf
    assert first_bad_value(network, lambda: network(torch.ones(1, 3))) == "the weights 2.bias"


def test_the_first_layer_whose_output_overflows_is_named(network):
    with torch.no_grad():
        network[2].weight.fill_(3e38)
        network[0].weight.fill_(10.0)
    assert first_bad_value(network, lambda: network(torch.ones(1, 3))) == "the output of 2"
    assert not network[2]._forward_hooks


def test_an_input_that_is_no_number_shows_in_the_first_layer(network):
    assert first_bad_value(network, lambda: network(torch.full((1, 3), torch.nan))) == "the output of 0"
