"""PReLU networks: rectifiers whose slope below zero is learnt, and initial weights that let them be deep.

K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
Classification", 2015, https://arxiv.org/abs/1502.01852, section 2, table 3

Several of them together were the first to err less than a person on ImageNet (4.94 % against 5.1 %, top-5).

VGG-19's convolutions on the two largest maps are moved to the smaller ones (a 7x7 convolution of stride 2 takes
their place), a spatial pyramid of 7x7, 3x3, 2x2 and 1x1 bins stands before the dense layers, and every hidden
layer ends with a PReLU that has one slope a channel, 0.25 at first. B is deeper than A, C is wider than B. The
operations that the table states (1.90, 2.32 and 5.30 times 10^10) are within 1 % of these networks'.

Initial weights are normal with the variance that keeps the size of gradients (equation 14, with the slope as in
equation 15): 2 / ((1 + 0.25^2) * fan out). This is taken for dense layers as well; biases are 0.

Taken where the table leaves a choice: padding that keeps 112 points after the first convolution and all points
after the 3x3 ones. What differs from the paper: the mean of each channel is subtracted and its deviation divided by,
not the mean picture alone. The paper keeps weight decay off the slopes; that is the optimiser's affair.
"""

from typing import NamedTuple

import torch
from torch import nn

from neocog.batch import Preprocess
from neocog.layers import SpatialPyramidPooling, dense_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["prelu_net_a", "prelu_net_b", "prelu_net_c"]

STEM_WIDTH = 96
PYRAMID = (7, 3, 2, 1)
SLOPE = 0.25  # of a PReLU below zero, at first


class Column(NamedTuple):
    """A column of table 3.

    Attributes:
        widths: channels of each stage.
        depth: 3x3 convolutions of each stage.
    """

    widths: tuple[int, int, int]
    depth: int


A = Column((256, 512, 512), 5)
B = Column((256, 512, 512), 6)
C = Column((384, 768, 896), 6)


def prelu_net_a(spec: ModelSpec) -> Network:
    """19 layers with weights."""
    return _prelu_net(spec, A)


def prelu_net_b(spec: ModelSpec) -> Network:
    """22 layers with weights."""
    return _prelu_net(spec, B)


def prelu_net_c(spec: ModelSpec) -> Network:
    """22 layers with weights, wider."""
    return _prelu_net(spec, C)


def _prelu_net(spec: ModelSpec, column: Column) -> Network:
    device = torch.get_default_device()
    with torch.device("meta"):  # torch's own initial weights of 300 million parameters would be drawn in vain
        network = _layers(spec, column)
    network.to_empty(device=device)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, a=SLOPE, mode="fan_out", nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        if isinstance(layer, nn.PReLU):
            nn.init.constant_(layer.weight, SLOPE)
    return network


def _layers(spec: ModelSpec, column: Column) -> Network:
    stem = nn.Sequential()
    stem.add_module("conv", nn.Conv2d(spec.in_channels, STEM_WIDTH, 7, stride=2, padding=3))
    stem.add_module("activation", nn.PReLU(STEM_WIDTH))
    stages = {"stem": stem}
    channels = STEM_WIDTH
    for number, width in enumerate(column.widths, start=1):
        stage = nn.Sequential()
        stage.add_module("pool", nn.MaxPool2d(2))
        for index in range(1, column.depth + 1):
            stage.add_module(f"conv{index}", nn.Conv2d(channels, width, 3, padding=1))
            stage.add_module(f"activation{index}", nn.PReLU(width))
            channels = width
        stages[f"stage{number}"] = stage
    pyramid = SpatialPyramidPooling(PYRAMID)
    head = dense_classifier({"pyramid": pyramid}, channels * pyramid.bins, spec.num_classes, activation=nn.PReLU)
    return Network(stages, head, channels=(STEM_WIDTH, *column.widths), preprocess=spec.preprocess, num_classes=spec.num_classes)


for _build, _parameters, _multiply_adds, _accuracy in (
    (prelu_net_a, 178_032_072, 19_000_000_000, ""),
    (prelu_net_b, 183_343_048, 23_200_000_000, ""),
    (prelu_net_c, 330_623_944, 53_000_000_000, "5.71 % top-5 error, one network at several test scales, ILSVRC-2012 validation"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2015,
            paper="K. He, X. Zhang, S. Ren, J. Sun, Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet "
            "Classification, 2015, https://arxiv.org/abs/1502.01852",
            preprocess=Preprocess((224, 224), (256, 256)),
            parameters=_parameters,
            multiply_adds=_multiply_adds,
            accuracy=_accuracy,
            min_size=15,
        ),
    )
