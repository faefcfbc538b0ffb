"""A small convolutional network of this project's own: the default for pictures of up to 64 pixels.

Three blocks of two 3x3 convolutions each, as in VGG (K. Simonyan, A. Zisserman, "Very Deep Convolutional
Networks for Large-Scale Image Recognition", 2014, https://arxiv.org/abs/1409.1556), with batch normalisation
after every convolution (or none, to see what it is worth), 2x2 max pooling between the blocks, and global average pooling
before the classifier, so that it takes images of any size from 4 pixels up. Initial weights of the convolutions are He's.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, initialise_convolutions, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.options import check, option

__all__ = ["SmallConvnetOptions", "small_convnet"]

BLOCKS = 3


@dataclass(frozen=True)
class SmallConvnetOptions:
    """What can be chosen."""

    width: int = option(32, "channels of the first block; each later block has twice as many", low=1)
    dropout: float = option(0.0, "probability of zeroing a channel's mean before the classifier, in [0, 0.9]", low=0, high=0.9)
    norm: Literal["batch", "none"] = option("batch", "what follows a convolution: batch normalisation, or none, and it has biases")

    def __post_init__(self) -> None:
        check(self)


def small_convnet(spec: ModelSpec) -> Network:
    """Blocks at strides 1, 2 and 4, each of two convolution units."""
    options: SmallConvnetOptions = spec.options
    widths = [options.width * 2**block for block in range(BLOCKS)]
    stages = {}
    channels = spec.in_channels
    for number, width in enumerate(widths, start=1):
        block = nn.Sequential()
        if number > 1:
            block.add_module("pool", nn.MaxPool2d(2))
        block.add_module("unit1", _unit(channels, width, options.norm))
        block.add_module("unit2", _unit(width, width, options.norm))
        stages[f"block{number}"] = block
        channels = width
    head = pooled_classifier(channels, spec.num_classes, options.dropout)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


def _unit(in_channels: int, out_channels: int, norm: str) -> nn.Sequential:
    """A 3x3 convolution that keeps the size, its norm where there is one, and relu."""
    if norm == "batch":
        return ConvolutionUnit(in_channels, out_channels, activation=nn.ReLU(inplace=True))
    unit = nn.Sequential()
    unit.add_module("conv", nn.Conv2d(in_channels, out_channels, 3, padding=1))
    unit.add_module("activation", nn.ReLU(inplace=True))
    return unit


MODELS.add_named(
    Entry(
        name="small_convnet",
        build=small_convnet,
        year=2014,
        paper="this project's own, after K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, "
        "2014, https://arxiv.org/abs/1409.1556",
        preprocess=Preprocess((32, 32), (32, 32)),
        parameters=288_746,
        Options=SmallConvnetOptions,
        min_size=4,
        classes=10,
    ),
)
