"""Three dense layers with dropout: the classifier of the networks from 2012 to 2015, and most of their parameters.

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
2012, https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks,
sections 3.5 and 4.2
"""

from collections.abc import Callable, Mapping

from torch import nn

__all__ = ["HIDDEN", "dense_classifier"]

HIDDEN = 4096
"""Units of each hidden layer, in AlexNet and all that followed it."""


def _relu(units: int) -> nn.Module:
    return nn.ReLU(inplace=True)


def dense_classifier(
    before: Mapping[str, nn.Module],
    features: int,
    num_classes: int,
    *,
    activation: Callable[[int], nn.Module] = _relu,
    dropout_first: bool = False,
) -> nn.Sequential:
    """Two hidden layers of `HIDDEN` units and one for the logits: fc1, fc2, fc3.

    Args:
        before: what makes a vector "b features" of the last map, by name, in order.
        features: length of that vector.
        num_classes: number of logits.
        activation: makes the nonlinearity of a hidden layer from its number of units.
        dropout_first: half of what enters a hidden layer is dropped, as in torchvision's AlexNet, instead of half of its units.
    """
    head = nn.Sequential()
    for name, module in before.items():
        head.add_module(name, module)
    for number, inputs in enumerate((features, HIDDEN), start=1):
        layer = {
            f"fc{number}": nn.Linear(inputs, HIDDEN),
            f"activation{number}": activation(HIDDEN),
        }
        dropout = {f"dropout{number}": nn.Dropout(0.5)}
        for name, module in ({**dropout, **layer} if dropout_first else {**layer, **dropout}).items():
            head.add_module(name, module)
    head.add_module("fc3", nn.Linear(HIDDEN, num_classes))
    return head
