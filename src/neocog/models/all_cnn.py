"""All-CNN-C: a network of convolutions alone; where others pool, a convolution strides.

J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for Simplicity: The All Convolutional Net", 2014,
https://arxiv.org/abs/1412.6806, table 1 (model C) and table 2 (All-CNN-C)

There is no pooling but the mean over the last map, and there are no dense layers: the last 1x1 convolution gives one
map a class, and a logit is the mean of its map after relu, so it is never below 0. The seventh convolution has no
border, which takes 8x8 points to the 6x6 that the paper averages.

What differs from the paper: it whitens the pictures and normalises their contrast, here each channel has the usual
mean and standard deviation. It does not say how the weights begin; here they are He's. Dropout is the paper's: 20 % of
the image's values, half of the values after each layer that strides. Many implementations leave out the last relu.
"""

from typing import NamedTuple

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import initialise_convolutions
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["all_cnn_c"]


class Layer(NamedTuple):
    """One convolution with relu after it.

    Attributes:
        width: maps that it gives.
        kernel: side in pixels.
        stride: in pixels; a layer that strides is followed by dropout.
        padding: pixels of border on each side.
    """

    width: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1


TABLE = (
    (Layer(96), Layer(96)),
    (Layer(96, stride=2), Layer(192), Layer(192)),
    (Layer(192, stride=2), Layer(192, padding=0), Layer(192, kernel=1, padding=0)),
)
"""The layers before the last, by the resolution that they work at."""

DROPOUT_OF_IMAGE, DROPOUT = 0.2, 0.5


def all_cnn_c(spec: ModelSpec) -> Network:
    """Eight convolutions in three blocks at strides 1, 2 and 4; a ninth gives the classes."""
    stages = {}
    channels, number = spec.in_channels, 0
    for block, layers in enumerate(TABLE, start=1):
        stage = nn.Sequential()
        if block == 1:
            stage.add_module("dropout", nn.Dropout(DROPOUT_OF_IMAGE))
        for layer in layers:
            number += 1
            convolution = nn.Conv2d(channels, layer.width, layer.kernel, stride=layer.stride, padding=layer.padding)
            stage.add_module(f"conv{number}", convolution)
            stage.add_module(f"activation{number}", nn.ReLU(inplace=True))
            if layer.stride > 1:
                stage.add_module("dropout", nn.Dropout(DROPOUT))
            channels = layer.width
        stages[f"block{block}"] = stage
    head = nn.Sequential()
    head.add_module(f"conv{number + 1}", nn.Conv2d(channels, spec.num_classes, 1))
    head.add_module(f"activation{number + 1}", nn.ReLU(inplace=True))
    head.add_module("average", nn.AdaptiveAvgPool2d(1))
    head.add_module("flatten", nn.Flatten())
    widths = tuple(layers[-1].width for layers in TABLE)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


MODELS.add_named(
    Entry(
        name="all_cnn_c",
        build=all_cnn_c,
        year=2014,
        paper="J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, Striving for Simplicity: The All Convolutional Net, 2014, "
        "https://arxiv.org/abs/1412.6806",
        preprocess=Preprocess((32, 32), (32, 32)),
        parameters=1_369_738,
        accuracy="9.08 % test error on CIFAR-10, 7.25 % with shifted and mirrored training images",
        min_size=9,
        classes=10,
    ),
)
