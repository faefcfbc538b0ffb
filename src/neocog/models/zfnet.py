"""ZFNet, AlexNet after its authors had looked inside: smaller steps at the beginning, one piece instead of two halves.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
https://arxiv.org/abs/1311.2901, section 4.1, figure 3

Deconvolution showed filters of AlexNet's first layer that had died and aliasing in its second, so the first
layer looks at 7x7 pixels at stride 2 (not 11x11 at 4), the second strides by 2, and no layer is split into
groups. Pooling comes before the normalisation across maps, which AlexNet does in the other order.

The figure's maps have 110, 55, 26, 13, 13, 13 and 6 points a side, from 224 pixels. This takes one pixel of
padding around the image (from 225 pixels it takes none), and pooling that keeps the last, incomplete window:

    (224 + 2 - 7) / 2 + 1 = 110.5 -> 110      first layer
    (110 - 3) / 2 + 1     =  54.5 ->  55      pooling
    (55 - 5) / 2 + 1      =  26               second layer
    (26 - 3) / 2 + 1      =  12.5 ->  13      pooling; layers 3 to 5 keep 13
    (13 - 3) / 2 + 1      =   6               pooling

The paper does not give the constants of the normalisation; they are AlexNet's. Its "weights initialised to
0.01" are read as the standard deviation of normal weights; biases are 0. What else differs from the paper: the
mean of each channel is subtracted and its deviation divided by, not the mean picture alone; filters whose root
mean square grows above 0.1 are not scaled back while training; maps of other than 6x6 points are averaged to 6x6
before the dense layers, so that images of any size are taken.
"""

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import AverageTo, LocalResponseNorm, dense_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["zfnet"]

LAYERS = ((96, 7, 2, 1), (256, 5, 2, 0), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1))
"""channels, kernel, stride, padding of each convolution"""
POOLED_BEFORE = (2, 3)
"""Convolutions that a pooling, and a normalisation, come before."""
POOLED = 6  # side of the last map


def zfnet(spec: ModelSpec) -> Network:
    """Five convolutions and three dense layers; weights begin as N(0, 0.01), biases at 0."""
    stages = {}
    channels = spec.in_channels
    for number, (width, kernel, stride, padding) in enumerate(LAYERS, start=1):
        stage = nn.Sequential()
        if number in POOLED_BEFORE:
            stage.add_module("pool", _pooling())
            stage.add_module("norm", LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0))
        stage.add_module("conv", nn.Conv2d(channels, width, kernel, stride=stride, padding=padding))
        stage.add_module("activation", nn.ReLU(inplace=True))
        stages[f"conv{number}"] = stage
        channels = width
    before = {"pool": _pooling(), "average": AverageTo(POOLED), "flatten": nn.Flatten()}
    head = dense_classifier(before, channels * POOLED**2, spec.num_classes)
    widths = [layer[0] for layer in LAYERS]
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, 0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return network


def _pooling() -> nn.Module:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


MODELS.add_named(
    Entry(
        name="zfnet",
        build=zfnet,
        year=2013,
        paper="M. D. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, 2013, https://arxiv.org/abs/1311.2901",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=62_357_608,
        accuracy="38.4 % top-1 and 16.5 % top-5 error, one network, ILSVRC-2012 validation (table 2)",
        min_size=47,
    ),
)
