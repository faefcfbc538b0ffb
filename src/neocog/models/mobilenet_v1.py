"""MobileNet: each convolution split into a depthwise and a 1x1 one, and two numbers that trade accuracy for cost.

A. Howard, M. Zhu, B. Chen, D. Kalenichenko, W. Wang, T. Weyand, M. Andreetto, H. Adam, "MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications", 2017, https://arxiv.org/abs/1704.04861, table 1

The width multiplier is the option `width`, the resolution multiplier the image size: 224, 192, 160 or 128 pixels in the
paper. A width that is no whole number is rounded down, and is at least 8, as in the authors' program.

What differs from the paper: the last depthwise convolution of table 1 is said to stride, but its input and output are
both 7x7, so that it cannot. What the paper leaves open: padding is the same on all sides (TensorFlow's is not), the
constants of batch normalisation are torch's, initial weights are those of torchvision's mobilenet_v2, and there is no
dropout. The nonlinearity is relu, as the paper says; later programs bound it by 6.
"""

from dataclasses import dataclass

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, initialise_convolutions, initialise_linears, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.options import check, option

__all__ = ["MobileNetV1Options", "mobilenet_v1"]

STEM_CHANNELS = 32
ROWS = (
    ((64, 1),),
    ((128, 2), (128, 1)),
    ((256, 2), (256, 1)),
    ((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    ((1024, 2), (1024, 1)),
)
"""Channels of the 1x1 convolution and stride of the depthwise one, of each pair; a stage is what has one resolution."""
LEAST_CHANNELS = 8


@dataclass(frozen=True)
class MobileNetV1Options:
    """What can be chosen."""

    width: float = option(1.0, "width multiplier: channels of every layer as a share of the full network's", above=0)

    def __post_init__(self) -> None:
        check(self)


def mobilenet_v1(spec: ModelSpec) -> Network:
    """A 3x3 stem and 13 separable convolutions in five stages at strides 2 to 32."""
    options: MobileNetV1Options = spec.options

    def scaled(channels: int) -> int:
        return max(LEAST_CHANNELS, int(channels * options.width))

    channels = scaled(STEM_CHANNELS)
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, channels, stride=2, activation=nn.ReLU(inplace=True))}
    widths = [channels]
    for number, row in enumerate(ROWS, start=1):
        stage = nn.Sequential()
        for full, stride in row:
            stage.append(_separable(channels, scaled(full), stride))
            channels = scaled(full)
        stages[f"stage{number}"] = stage
        widths.append(channels)
    head = pooled_classifier(channels, spec.num_classes)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    initialise_linears(network)
    return network


def _separable(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Figure 3, right: a filter for each channel, then their combinations."""
    pair = nn.Sequential()
    depthwise = ConvolutionUnit(in_channels, in_channels, stride=stride, groups=in_channels, activation=nn.ReLU(inplace=True))
    pair.add_module("depthwise", depthwise)
    pair.add_module("pointwise", ConvolutionUnit(in_channels, out_channels, 1, activation=nn.ReLU(inplace=True)))
    return pair


MODELS.add_named(
    Entry(
        name="mobilenet_v1",
        build=mobilenet_v1,
        year=2017,
        paper="A. Howard, M. Zhu, B. Chen, D. Kalenichenko, W. Wang, T. Weyand, M. Andreetto, H. Adam, MobileNets: Efficient Convolutional "
        "Neural Networks for Mobile Vision Applications, 2017, https://arxiv.org/abs/1704.04861",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=4_231_976,
        multiply_adds=569_000_000,
        accuracy="70.6 % top-1 accuracy on ImageNet (table 8)",
        Options=MobileNetV1Options,
    ),
)
