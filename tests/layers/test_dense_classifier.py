import torch
from torch import nn

from neocog.layers import dense_classifier


def on_meta(**arguments):
    with torch.device("meta"):
        return dense_classifier({"flatten": nn.Flatten()}, 18, 5, **arguments)


def test_two_hidden_layers_then_the_logits():
    head = on_meta()
    shapes = [tuple(layer.weight.shape) for layer in head if isinstance(layer, nn.Linear)]
    assert shapes == [(4096, 18), (4096, 4096), (5, 4096)]
    assert head(torch.empty(2, 2, 3, 3, device="meta")).shape == (2, 5)


def test_half_of_the_hidden_units_are_dropped_unless_the_inputs_are_to_be():
    after = ["flatten", "fc1", "activation1", "dropout1", "fc2", "activation2", "dropout2", "fc3"]
    first = ["flatten", "dropout1", "fc1", "activation1", "dropout2", "fc2", "activation2", "fc3"]
    assert [name for name, _ in on_meta().named_children()] == after
    assert [name for name, _ in on_meta(dropout_first=True).named_children()] == first
    assert on_meta().dropout1.p == on_meta(dropout_first=True).dropout2.p == 0.5


def test_another_nonlinearity_knows_its_number_of_units():
    head = on_meta(activation=nn.PReLU)
    assert head.activation1.weight.shape == head.activation2.weight.shape == (4096,)
