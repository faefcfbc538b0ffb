"""Multilayer perceptron: dense layers of any widths with one nonlinearity between them.

D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors", 1986,
https://doi.org/10.1038/323533a0

The default, 300 hidden units on 28x28 pixels, is the two-layer network of Y. LeCun, L. Bottou, Y. Bengio,
P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section III.C.4, with relu in
place of its tanh. Initial weights are He's for relu, Glorot's for sigmoid and tanh.
"""

import math
from dataclasses import dataclass

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import Activation, activation, initialise_for
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.options import check, option

__all__ = ["MlpOptions", "mlp"]


@dataclass(frozen=True)
class MlpOptions:
    """What can be chosen."""

    widths: tuple[int, ...] = option((300,), "units of each hidden layer", low=1)
    activation: Activation = option("relu", "nonlinearity after each hidden layer")

    def __post_init__(self) -> None:
        check(self)


def mlp(spec: ModelSpec) -> Network:
    """Hidden layers as stages, whose maps are vectors "b width", and a linear layer to the logits."""
    options: MlpOptions = spec.options
    stages = {}
    width = spec.in_channels * math.prod(spec.preprocess.size)
    for number, next_width in enumerate(options.widths, start=1):
        stage = nn.Sequential()
        if number == 1:
            stage.add_module("flatten", nn.Flatten())
        stage.add_module("fc", nn.Linear(width, next_width))
        stage.add_module("activation", activation(options.activation))
        stages[f"hidden{number}"] = stage
        width = next_width
    head = nn.Sequential()
    head.add_module("fc", nn.Linear(width, spec.num_classes))
    network = Network(stages, head, channels=options.widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_for(network, options.activation)
    return network


MODELS.add_named(
    Entry(
        name="mlp",
        build=mlp,
        year=1986,
        paper="D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning representations by back-propagating errors, 1986, "
        "https://doi.org/10.1038/323533a0",
        preprocess=Preprocess((28, 28), (28, 28), channels=1, mean=(0.1307,), std=(0.3081,)),
        parameters=238_510,
        multiply_adds=238_200,
        Options=MlpOptions,
        min_size=1,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "transfer"}),
    ),
)
