"""Tiny VGG, the network that CNN Explainer takes apart on screen.

Z. J. Wang, R. Turko, O. Shaikh, H. Park, N. Das, F. Hohman, M. Kahng, D. H. Chau, "CNN Explainer: Learning
Convolutional Neural Networks with Interactive Visualization", 2020, https://arxiv.org/abs/2004.15004, section 5

Two blocks of two 3x3 convolutions with ten maps each, relu after each, 2x2 max pooling after each block, and one linear
layer from the 13x13 points that are left of 64x64 pixels to ten classes of Tiny ImageNet. No convolution has a border, so
each takes two rows and two columns off. Pixels go from 0 to 1.

A stage's map is that of its second convolution; the pooling begins the next stage, or the head. Initial weights are
Glorot's.
"""

import math

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import initialise_for
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["tiny_vgg"]

WIDTH = 10
BLOCKS = 2


def tiny_vgg(spec: ModelSpec) -> Network:
    """Blocks at strides 1 and 2, and a linear layer."""
    stages = {}
    channels = spec.in_channels
    for block in range(1, BLOCKS + 1):
        stage = nn.Sequential()
        if block > 1:
            stage.add_module("pool", nn.MaxPool2d(2))
        for number in (1, 2):
            stage.add_module(f"conv{number}", nn.Conv2d(channels, WIDTH, 3))
            stage.add_module(f"activation{number}", nn.ReLU(inplace=True))
            channels = WIDTH
        stages[f"block{block}"] = stage
    head = nn.Sequential()
    head.add_module("pool", nn.MaxPool2d(2))
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc", nn.Linear(WIDTH * math.prod(_left_of(side) for side in spec.preprocess.size), spec.num_classes))
    network = Network(stages, head, channels=(WIDTH,) * BLOCKS, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_for(network, "tanh")
    return network


def _left_of(side: int) -> int:
    """A side after both blocks."""
    for _ in range(BLOCKS):
        side = (side - 4) // 2
    return side


MODELS.add_named(
    Entry(
        name="tiny_vgg",
        build=tiny_vgg,
        year=2020,
        paper="Z. J. Wang et al., CNN Explainer: Learning Convolutional Neural Networks with Interactive Visualization, 2020, "
        "https://arxiv.org/abs/2004.15004",
        preprocess=Preprocess((64, 64), (64, 64), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        parameters=19_920,
        min_size=16,
        classes=10,
        traits=frozenset({"gradient", "stages", "transfer"}),
    ),
)
