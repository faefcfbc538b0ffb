"""LeNet-5, the network that read cheques, in the form of today's textbooks.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
https://doi.org/10.1109/5.726791, figure 2

What differs from the paper, as in most implementations: C3 sees all maps of S2, the subsampling layers have
no weights (and take the maximum unless the average is asked for), the nonlinearity is relu unless tanh is
asked for, without the paper's scaling, and the output layer is linear instead of radial basis functions.
C5, a 5x5 convolution on 5x5 maps, is the dense layer that it equals. Images under 32 pixels are padded to
32 inside C1, as the paper does with the 28x28 pixels of MNIST; larger ones widen C5.

Initial weights are He's for relu, Glorot's for tanh.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import Activation, activation, initialise_for
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.options import check, option

__all__ = ["LeNet5Options", "lenet5"]

PAPER_SIDE = 32  # pixels
POOLS = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


@dataclass(frozen=True)
class LeNet5Options:
    """What can be chosen."""

    activation: Activation = option("relu", "nonlinearity after each layer but the last")
    pooling: Literal["max", "average"] = option("max", "what subsampling takes of 2x2 points")

    def __post_init__(self) -> None:
        check(self)


def lenet5(spec: ModelSpec) -> Network:
    """Two convolutions with pooling after them, then dense layers of 120 and 84 units."""
    options: LeNet5Options = spec.options
    pool = POOLS[options.pooling]
    # One row or column more than 32, where the side is odd, is lost again in the first pooling.
    vertical, horizontal = (max(0, -(-(PAPER_SIDE - side) // 2)) for side in spec.preprocess.size)
    c1 = nn.Sequential()
    c1.add_module("conv", nn.Conv2d(spec.in_channels, 6, 5, padding=(vertical, horizontal)))
    c1.add_module("activation", activation(options.activation))
    c3 = nn.Sequential()
    c3.add_module("pool", pool(2))
    c3.add_module("conv", nn.Conv2d(6, 16, 5))
    c3.add_module("activation", activation(options.activation))
    points = 1
    for side in spec.preprocess.size:
        points *= (max(side, PAPER_SIDE) - 12) // 4
    head = nn.Sequential()
    head.add_module("pool", pool(2))
    head.add_module("flatten", nn.Flatten())
    head.add_module("c5", nn.Linear(16 * points, 120))
    head.add_module("activation5", activation(options.activation))
    head.add_module("f6", nn.Linear(120, 84))
    head.add_module("activation6", activation(options.activation))
    head.add_module("fc", nn.Linear(84, spec.num_classes))
    network = Network({"c1": c1, "c3": c3}, head, channels=(6, 16), preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_for(network, options.activation)
    return network


MODELS.add_named(
    Entry(
        name="lenet5",
        build=lenet5,
        year=1998,
        paper="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-Based Learning Applied to Document Recognition, 1998, "
        "https://doi.org/10.1109/5.726791",
        preprocess=Preprocess((28, 28), (28, 28), channels=1, mean=(0.1307,), std=(0.3081,)),
        parameters=61_706,
        Options=LeNet5Options,
        min_size=4,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "stages", "transfer"}),
    ),
)
