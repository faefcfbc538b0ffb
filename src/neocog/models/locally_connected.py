"""Net-3, a network of local connections without shared weights: what a convolutional network is before it shares its kernels.

Y. LeCun, "Generalization and Network Design Strategies", 1989,
https://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf

On images of 16x16 pixels, with one map in each hidden layer:

    layer    units   window   step   weights with biases
    hidden1  8x8     3x3      2        640
    hidden2  4x4     5x5      2        416
    output   10      all      -        170      1,226 in all

Windows that stand over the border see zeros there; the weights that lie outside are counted, as in the paper.
Net-3 is the middle one of its five networks, on few and small digits: with 38 % of the weights of the fully
connected Net-2 it is right a little more often (88.5 % against 87 %), and sharing the kernels of the first
layer, in Net-4, gives 94 %.

Nonlinearity and initial weights are those of the same author's networks of that year: 1.7159 tanh(2x/3), and
weights drawn evenly up to 2.4 over the number of a unit's inputs, biases 0. Chosen here: a linear output layer,
under the squared error to +1 for the class and -1 for the others, and that more maps and other sizes can be
asked for.
"""

import math
from dataclasses import dataclass

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import LocallyConnected2d, ScaledTanh, initialise_for_scaled_tanh, uniform_by_fan_in
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.options import check, option

__all__ = ["LocallyConnectedNetwork", "LocallyConnectedOptions", "locally_connected"]

WINDOWS = (3, 5)  # pixels, of the hidden layers
STEP = 2


@dataclass(frozen=True)
class LocallyConnectedOptions:
    """What can be chosen."""

    maps: int = option(1, "maps of each hidden layer", low=1)

    def __post_init__(self) -> None:
        check(self)


class LocallyConnectedNetwork(Network):
    """A network whose first weights belong to places on the image, so that none of torch's own layers sees it."""

    loss = "squared_error"

    @property
    def input_layer(self) -> None:
        """None: weights without sharing cannot be adapted to other channels as a convolution's."""
        return


def locally_connected(spec: ModelSpec) -> Network:
    """Two locally connected layers at strides 2 and 4, then a linear layer to the outputs."""
    options: LocallyConnectedOptions = spec.options
    stages = {}
    channels, size = spec.in_channels, spec.preprocess.size
    for number, window in enumerate(WINDOWS, start=1):
        stage = nn.Sequential()
        layer = LocallyConnected2d(channels, options.maps, size, window, stride=STEP, padding=window // 2)
        uniform_by_fan_in(layer.weight, layer.inputs)
        nn.init.zeros_(layer.bias)
        stage.add_module("local", layer)
        stage.add_module("activation", ScaledTanh())
        stages[f"hidden{number}"] = stage
        channels, size = options.maps, layer.output_size
    head = nn.Sequential()
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc", nn.Linear(channels * math.prod(size), spec.num_classes))
    initialise_for_scaled_tanh(head)
    return LocallyConnectedNetwork(
        stages, head, channels=(options.maps,) * len(stages), preprocess=spec.preprocess, num_classes=spec.num_classes
    )


MODELS.add_named(
    Entry(
        name="locally_connected",
        build=locally_connected,
        year=1989,
        paper="Y. LeCun, Generalization and Network Design Strategies, 1989, https://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf",
        preprocess=Preprocess((16, 16), (16, 16), channels=1, mean=(0.1307,), std=(0.3081,)),
        parameters=1_226,
        multiply_adds=8 * 8 * 9 + 4 * 4 * 25 + 10 * 16,
        accuracy="88.5 % right on the paper's 160 test digits",
        Options=LocallyConnectedOptions,
        min_size=4,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient"}),
    ),
)
