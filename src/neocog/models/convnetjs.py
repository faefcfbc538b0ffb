"""The demonstration networks of ConvNetJS, which learnt in the browser before the eyes of the reader.

A. Karpathy, "ConvNetJS: Deep Learning in your browser", 2014, https://cs.stanford.edu/people/karpathy/convnetjs/
(demonstrations "CIFAR-10" and "MNIST")

Each is a few 5x5 convolutions with relu and max pooling, and one linear layer to the classes. Their pages train
them with Adadelta, on one picture after another in batches of 4 and of 20, moved by up to two pixels and (CIFAR-10)
mirrored: recipes/convnetjs_cifar10.toml and recipes/convnetjs_mnist.toml do the same. The images of MNIST are windows
of 24x24 of the 28x28 pixels.

As in ConvNetJS, weights begin normal with variance 1 / fan-in, biases of the convolutions at 0.1, so that no relu
begins dead, and those of the classes at 0. CIFAR-10's pixels go from -0.5 to 0.5, MNIST's from 0 to 1. What differs: the
pages answer for a test picture with the mean over several windows of it, here the one in the middle answers.
"""

import math

from torch import nn

from neocog.batch import Preprocess
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["convnetjs_cifar10", "convnetjs_mnist"]

PAPER = "A. Karpathy, ConvNetJS: Deep Learning in your browser, 2014, https://cs.stanford.edu/people/karpathy/convnetjs/"
KERNEL = 5
BIAS_BEFORE_RELU = 0.1

Table = tuple[tuple[int, int], ...]
"""For each convolution how many maps it gives, and the side and stride of the pooling after it."""

CIFAR10: Table = ((16, 2), (20, 2), (20, 2))
MNIST: Table = ((8, 2), (16, 3))


def convnetjs_cifar10(spec: ModelSpec) -> Network:
    """Convolutions of 16, 20 and 20 maps at strides 1, 2 and 4, each halved by pooling."""
    return _convnetjs(spec, CIFAR10)


def convnetjs_mnist(spec: ModelSpec) -> Network:
    """Convolutions of 8 and 16 maps at strides 1 and 2, pooled by 2 and by 3."""
    return _convnetjs(spec, MNIST)


def _convnetjs(spec: ModelSpec, table: Table) -> Network:
    """A stage's map is that of its convolution; the pooling begins the next stage, or the head."""
    stages = {}
    channels, before = spec.in_channels, 0
    for number, (width, pool) in enumerate(table, start=1):
        stage = nn.Sequential()
        if before:
            stage.add_module("pool", nn.MaxPool2d(before))
        stage.add_module("conv", nn.Conv2d(channels, width, KERNEL, padding=KERNEL // 2))
        stage.add_module("activation", nn.ReLU(inplace=True))
        stages[f"conv{number}"] = stage
        channels, before = width, pool
    points = math.prod(_pooled(side, table) for side in spec.preprocess.size)
    head = nn.Sequential()
    head.add_module("pool", nn.MaxPool2d(before))
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc", nn.Linear(channels * points, spec.num_classes))
    widths = tuple(width for width, _ in table)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    _initialise(network)
    return network


def _pooled(side: int, table: Table) -> int:
    for _, pool in table:
        side //= pool
    return side


def _initialise(network: Network) -> None:
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, math.sqrt(1 / layer.weight[0].numel()))
            if layer.bias is not None:
                nn.init.constant_(layer.bias, BIAS_BEFORE_RELU if isinstance(layer, nn.Conv2d) else 0.0)


MODELS.add_named(
    Entry(
        name="convnetjs_cifar10",
        build=convnetjs_cifar10,
        year=2014,
        paper=PAPER,
        preprocess=Preprocess((32, 32), (32, 32), mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        parameters=22_466,
        min_size=8,
        classes=10,
        traits=frozenset({"gradient", "stages", "transfer"}),
    ),
)
MODELS.add_named(
    Entry(
        name="convnetjs_mnist",
        build=convnetjs_mnist,
        year=2014,
        paper=PAPER,
        preprocess=Preprocess((24, 24), (28, 28), channels=1, mean=(0.0,), std=(1.0,)),
        parameters=5_994,
        min_size=6,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "stages", "transfer"}),
    ),
)
