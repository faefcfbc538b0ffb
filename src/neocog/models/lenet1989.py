"""The first convolutional network trained by back-propagation on real pictures: handwritten digits of zip codes.

Y. LeCun, B. Boser, J. S. Denker, D. Henderson, R. E. Howard, W. Hubbard, L. D. Jackel, "Backpropagation Applied to
Handwritten Zip Code Recognition", 1989, https://doi.org/10.1162/neco.1989.1.4.541, section 3

                units           parameters                      connections
    H1          12 maps of 8x8  12 * 25 weights + 768 biases    768 * 26 = 19,968
    H2          12 maps of 4x4  12 * 200 weights + 192 biases   192 * 201 = 38,592
    H3          30              30 * 193 = 5,790                5,790
    output      10              10 * 31 = 310                   310
    together    1,000           9,760                           64,660

With the 256 points of the image these are the paper's 1,256 units, 64,660 connections and 9,760 free parameters.
The units of a map share their weights, but not their bias. Every unit, those of the output too, is squashed by
1.7159 tanh(2x/3), and trained towards 1 for the class and -1 for the others by squared error. The pixels go from
-1 (background) to 1 (ink), and what lies outside a map is taken to be -1.

What differs from the paper: it says that a map of H2 sees eight of the twelve maps of H1 "by a scheme that will not be
described here"; here map i of H2 sees the maps i to i + 7 of H1, counted round, so that each map of H1 is seen by
eight. Its optimizer was a diagonal Newton method on one picture at a time. Biases, of which it says nothing apart,
begin at 0; weights are drawn as it says, evenly up to 2.4 over the fan-in.

Images of other sizes than 16x16 have maps of other sizes, and so more biases and a wider H3.
"""

import math

from torch import nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import LocalBias, ScaledTanh, TableConvolution, initialise_for_scaled_tanh
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["lenet1989"]

MAPS = 12
SEEN = 8  # of the maps of H1, by each map of H2
SCHEME = tuple(tuple(sorted((number + step) % MAPS for step in range(SEEN))) for number in range(MAPS))
KERNEL = 5
STRIDE = 2
BACKGROUND = -1.0
HIDDEN = 30


def lenet1989(spec: ModelSpec) -> Network:
    """H1 and H2 as stages, H3 and the output as head."""
    first = _halved(spec.preprocess.size)
    second = _halved(first)
    stages = {
        "h1": _feature_maps(nn.Conv2d(spec.in_channels, MAPS, KERNEL, stride=STRIDE, bias=False), first),
        "h2": _feature_maps(TableConvolution(SCHEME, MAPS, KERNEL, stride=STRIDE, bias=False), second),
    }
    head = _head(MAPS * math.prod(second), spec.num_classes)
    network = Network(stages, head, channels=(MAPS, MAPS), preprocess=spec.preprocess, num_classes=spec.num_classes)
    network.loss = "squared_error"
    initialise_for_scaled_tanh(network)
    return network


def _feature_maps(convolution: nn.Module, size: Size) -> nn.Sequential:
    layer = nn.Sequential()
    layer.add_module("border", nn.ConstantPad2d(KERNEL // 2, BACKGROUND))
    layer.add_module("conv", convolution)
    layer.add_module("local", LocalBias(MAPS, *size))
    layer.add_module("activation", ScaledTanh())
    return layer


def _halved(size: Size) -> Size:
    """The size of the maps after a convolution; half of an odd side is rounded up."""
    height, width = size
    return -(-height // STRIDE), -(-width // STRIDE)


def _head(inputs: int, num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("flatten", nn.Flatten())
    head.add_module("h3", nn.Linear(inputs, HIDDEN))
    head.add_module("activation3", ScaledTanh())
    head.add_module("fc", nn.Linear(HIDDEN, num_classes))
    head.add_module("activation", ScaledTanh())
    return head


MODELS.add_named(
    Entry(
        name="lenet1989",
        build=lenet1989,
        year=1989,
        paper="Y. LeCun et al., Backpropagation Applied to Handwritten Zip Code Recognition, 1989, "
        "https://doi.org/10.1162/neco.1989.1.4.541",
        preprocess=Preprocess((16, 16), (16, 16), channels=1, mean=(0.5,), std=(0.5,)),
        parameters=9_760,
        accuracy="5.0 % error on 2,007 digits of zip codes, 0.14 % on the 7,291 that it was trained on",
        min_size=4,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "stages", "transfer"}),
    ),
)
