"""AlexNet, which won ILSVRC 2012 and began what came after: the paper's network, and torchvision's.

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
2012, https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks,
section 3.5, figure 2
A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014,
https://arxiv.org/abs/1404.5997

`alexnet_2012` is the first paper's: 96, 256, 384, 384 and 256 maps, of which conv2, conv4 and conv5 see only
the half that lay on their own graphics card (two groups), response normalisation after conv1 and conv2, and
overlapping pooling. Its initial weights and biases are section 5's. `alexnet` is torchvision's after the
second paper: one card, so no groups, no normalisation, 64, 192, 384, 256 and 256 maps; half of what enters the
first dense layer is dropped, where the paper drops half of what leaves it.

What does not add up in the paper, or differs from it:
 - Figure 2 says 224 pixels. (224 - 11) / 4 + 1 is no whole number; 227 pixels give its 55x55 points.
 - Figure 2 counts 253,440 neurons in conv1. 55 * 55 * 96 are 290,400; 253,440 is 55 * 48 * 96, as if the 48 maps
   of one card had taken the place of one 55. The other layers (186,624, 64,896 twice, 43,264, 4096 twice, 1000)
   agree. All together are 659,272 by count and 622,312 by the figure; the abstract says 650,000.
 - The mean of each channel is subtracted and its deviation divided by, not the mean picture alone.
 - Maps of other than 6x6 points are averaged to 6x6 before the dense layers, so that images of any size are taken.

A stage ends before the pooling, with which the next one begins.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import AverageTo, LocalResponseNorm, dense_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["alexnet", "alexnet_2012"]

POOLED = 6  # side of the last map


class Convolution(NamedTuple):
    """One of the five.

    Attributes:
        channels: of its map.
        kernel: side in pixels.
        stride: in pixels.
        padding: on each side, in pixels.
        groups: into how many parts the maps are split.
        pooled: 3x3 points are pooled at stride 2 before it.
        normalised: its map is normalised across channels.
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    pooled: bool = False
    normalised: bool = False


PAPER = (
    Convolution(96, 11, stride=4, normalised=True),
    Convolution(256, 5, padding=2, groups=2, pooled=True, normalised=True),
    Convolution(384, 3, padding=1, pooled=True),
    Convolution(384, 3, padding=1, groups=2),
    Convolution(256, 3, padding=1, groups=2),
)
ONE_CARD = (
    Convolution(64, 11, stride=4, padding=2),
    Convolution(192, 5, padding=2, pooled=True),
    Convolution(384, 3, padding=1, pooled=True),
    Convolution(256, 3, padding=1),
    Convolution(256, 3, padding=1),
)
WITH_BIAS_ONE = ("stages.conv2.conv", "stages.conv4.conv", "stages.conv5.conv", "head.fc1", "head.fc2")


def alexnet(spec: ModelSpec) -> Network:
    """Torchvision's form; initial weights are torch's own."""
    return _alexnet(spec, ONE_CARD, dropout_first=True)


def alexnet_2012(spec: ModelSpec) -> Network:
    """The first paper's form: weights begin as N(0, 0.01), biases at 1 where this gives rectifiers a positive input."""
    network = _alexnet(spec, PAPER, dropout_first=False)
    for name, layer in network.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, 0.01)
            nn.init.constant_(layer.bias, 1.0 if name in WITH_BIAS_ONE else 0.0)  # type: ignore[arg-type]
    return network


def _alexnet(spec: ModelSpec, table: Sequence[Convolution], *, dropout_first: bool) -> Network:
    stages = {}
    channels = spec.in_channels
    for number, row in enumerate(table, start=1):
        stages[f"conv{number}"] = _stage(channels, row)
        channels = row.channels
    before = {"pool": nn.MaxPool2d(3, stride=2), "average": AverageTo(POOLED), "flatten": nn.Flatten()}
    head = dense_classifier(before, channels * POOLED**2, spec.num_classes, dropout_first=dropout_first)
    widths = [row.channels for row in table]
    return Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)


def _stage(in_channels: int, row: Convolution) -> nn.Sequential:
    stage = nn.Sequential()
    if row.pooled:
        stage.add_module("pool", nn.MaxPool2d(3, stride=2))
    convolution = nn.Conv2d(in_channels, row.channels, row.kernel, stride=row.stride, padding=row.padding, groups=row.groups)
    stage.add_module("conv", convolution)
    stage.add_module("activation", nn.ReLU(inplace=True))
    if row.normalised:
        stage.add_module("norm", LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0))
    return stage


FOREIGN_LAYERS = {
    "features.0": "stages.conv1.conv",
    "features.3": "stages.conv2.conv",
    "features.6": "stages.conv3.conv",
    "features.8": "stages.conv4.conv",
    "features.10": "stages.conv5.conv",
    "classifier.1": "head.fc1",
    "classifier.4": "head.fc2",
    "classifier.6": "head.fc3",
}
"""What torchvision calls them."""


def alexnet_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{FOREIGN_LAYERS[layer]}.{tensor}" if layer in FOREIGN_LAYERS else key


MODELS.add_named(
    Entry(
        name="alexnet",
        build=alexnet,
        year=2014,
        paper="A. Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014, https://arxiv.org/abs/1404.5997",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=61_100_840,
        multiply_adds=714_000_000,
        min_size=63,
        key_map=alexnet_key,
    ),
)

MODELS.add_named(
    Entry(
        name="alexnet_2012",
        build=alexnet_2012,
        year=2012,
        paper="A. Krizhevsky, I. Sutskever, G. E. Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, "
        "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        preprocess=Preprocess((227, 227), (256, 256)),
        parameters=60_965_224,
        accuracy="40.7 % top-1 and 18.2 % top-5 error, one network, ILSVRC-2012 validation (table 2)",
        min_size=67,
    ),
)
