"""EfficientNet: one small network found by search, and seven larger ones by growing depth, width and image together.

M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
https://arxiv.org/abs/1905.11946, table 1 and equation 3

Equation 3 grows depth by 1.2, width by 1.1 and image side by 1.15 for each step of one number. The coefficients of b1 to
b7 are the rounded ones of the authors' program, which the paper's measurements are of; FORMS has them. Widths are rounded
to multiples of 8, depths upwards.

torchvision's form. What differs from the paper: b2 takes images of 288 pixels, as the published weights were made for,
instead of 260; padding is the same on all sides; the constants of batch normalisation are torch's for b0 to b4 and 0.001
and 0.01 for b5 to b7, whichever the published weights were made with. Stochastic depth leaves out a block with a
probability that rises from 0 at the first one towards 0.2 behind the last, and blocks without an addition never.

Initial weights: He's for convolutions; for the classifier uniform up to 1 / sqrt(classes), biases 0.
"""

import math
from functools import partial
from typing import NamedTuple

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import (
    ConvolutionUnit,
    InvertedResidual,
    SqueezeExcitation,
    StochasticDepth,
    initialise_convolutions,
    pooled_classifier,
    set_batch_norms,
)
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.mobilenet_v3 import block_layers
from neocog.models.network import Network

__all__ = [
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_key",
]


class Row(NamedTuple):
    """One stage of table 1: blocks of equal width, of which the first one strides."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    layers: int


BASE = (
    Row(1, 3, 1, 16, 1),
    Row(6, 3, 2, 24, 2),
    Row(6, 5, 2, 40, 2),
    Row(6, 3, 2, 80, 3),
    Row(6, 5, 1, 112, 3),
    Row(6, 5, 2, 192, 4),
    Row(6, 3, 1, 320, 1),
)
"""Table 1, stages 2 to 8."""
STEM_CHANNELS = 32
LAST_EXPANSION = 4  # the last convolution's channels to those of the last block
SQUEEZE = 4  # a block's input channels to those of its squeeze
LEFT_OUT = 0.2  # probability of stochastic depth that the blocks rise towards


class Form(NamedTuple):
    """How a network grows from the base, and what else changes with its size."""

    width: float
    depth: float
    dropout: float
    epsilon: float = 1e-5
    momentum: float = 0.1


FORMS = (
    Form(1.0, 1.0, 0.2),
    Form(1.0, 1.1, 0.2),
    Form(1.1, 1.2, 0.3),
    Form(1.2, 1.4, 0.3),
    Form(1.4, 1.8, 0.4),
    Form(1.6, 2.2, 0.4, 0.001, 0.01),
    Form(1.8, 2.6, 0.5, 0.001, 0.01),
    Form(2.0, 3.1, 0.5, 0.001, 0.01),
)
"""b0 to b7."""


def efficientnet_b0(spec: ModelSpec) -> Network:
    """16 blocks, as table 1 has them."""
    return _efficientnet(spec, FORMS[0])


def efficientnet_b1(spec: ModelSpec) -> Network:
    """23 blocks of b0's widths."""
    return _efficientnet(spec, FORMS[1])


def efficientnet_b2(spec: ModelSpec) -> Network:
    """23 blocks, 1.1 times as wide."""
    return _efficientnet(spec, FORMS[2])


def efficientnet_b3(spec: ModelSpec) -> Network:
    """26 blocks, 1.2 times as wide."""
    return _efficientnet(spec, FORMS[3])


def efficientnet_b4(spec: ModelSpec) -> Network:
    """32 blocks, 1.4 times as wide."""
    return _efficientnet(spec, FORMS[4])


def efficientnet_b5(spec: ModelSpec) -> Network:
    """39 blocks, 1.6 times as wide."""
    return _efficientnet(spec, FORMS[5])


def efficientnet_b6(spec: ModelSpec) -> Network:
    """45 blocks, 1.8 times as wide."""
    return _efficientnet(spec, FORMS[6])


def efficientnet_b7(spec: ModelSpec) -> Network:
    """55 blocks, twice as wide."""
    return _efficientnet(spec, FORMS[7])


def _widened(channels: int, width: float) -> int:
    """To the nearest multiple of 8, but no less than nine tenths."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def _scaled(form: Form) -> list[Row]:
    return [row._replace(channels=_widened(row.channels, form.width), layers=math.ceil(row.layers * form.depth)) for row in BASE]


def _efficientnet(spec: ModelSpec, form: Form) -> Network:
    rows = _scaled(form)
    blocks = sum(row.layers for row in rows)
    channels = _widened(STEM_CHANNELS, form.width)
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, channels, stride=2, activation=nn.SiLU())}
    widths = [channels]
    done = 0
    for number, row in enumerate(rows, start=1):
        stage = nn.Sequential()
        for index in range(row.layers):
            stage.append(_block(channels, row if index == 0 else row._replace(stride=1), LEFT_OUT * done / blocks))
            channels, done = row.channels, done + 1
        stages[f"stage{number}"] = stage
        widths.append(channels)
    last = LAST_EXPANSION * channels
    stages["last"] = ConvolutionUnit(channels, last, 1, activation=nn.SiLU())
    head = pooled_classifier(last, spec.num_classes, dropout=form.dropout)
    network = Network(stages, head, channels=(*widths, last), preprocess=spec.preprocess, num_classes=spec.num_classes)
    _initialise(network)
    set_batch_norms(network, epsilon=form.epsilon, momentum=form.momentum)
    return network


def _block(in_channels: int, row: Row, left_out: float) -> InvertedResidual:
    width = row.expansion * in_channels
    block = InvertedResidual(
        in_channels,
        width,
        row.channels,
        kernel=row.kernel,
        stride=row.stride,
        activation=nn.SiLU,
        excitation=SqueezeExcitation(width, in_channels // SQUEEZE, activation=nn.SiLU()),
    )
    if block.adds_input:
        block.body.add_module("stochastic_depth", StochasticDepth(left_out))
    return block


def _initialise(network: Network) -> None:
    initialise_convolutions(network)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.out_features)
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)


def _foreign_layers(form: Form) -> dict[str, str]:
    """Our name of each layer by torchvision's, which numbers the stages from 1, between stem and last convolution."""
    layers = {"features.0.0": "stages.stem.conv", "features.0.1": "stages.stem.norm", "classifier.1": "head.fc"}
    layers |= {f"features.{len(BASE) + 1}.0": "stages.last.conv", f"features.{len(BASE) + 1}.1": "stages.last.norm"}
    for number, row in enumerate(_scaled(form), start=1):
        parts = ("depthwise", "excitation", "project") if row.expansion == 1 else ("expand", "depthwise", "excitation", "project")
        for index in range(row.layers):
            layers |= block_layers(f"features.{number}.{index}", f"stages.stage{number}.{index}", parts)
    return layers


FOREIGN_LAYERS = _foreign_layers(FORMS[-1])
"""Of the deepest network; the others have some of its blocks, under the same names."""


def efficientnet_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{FOREIGN_LAYERS[layer]}.{tensor}" if layer in FOREIGN_LAYERS else key


PAPER = "M. Tan, Q. Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, https://arxiv.org/abs/1905.11946"
_square = partial(Preprocess, interpolation="bicubic")

for _build, _size, _resize, _parameters, _millions, _accuracy in (
    (efficientnet_b0, 224, 256, 5_288_548, 386, 77.1),
    (efficientnet_b1, 240, 256, 7_794_184, 687, 79.1),
    (efficientnet_b2, 288, 288, 9_109_994, 1_088, 80.1),
    (efficientnet_b3, 300, 320, 12_233_232, 1_827, 81.6),
    (efficientnet_b4, 380, 384, 19_341_616, 4_394, 82.9),
    (efficientnet_b5, 456, 456, 30_389_784, 10_266, 83.6),
    (efficientnet_b6, 528, 528, 43_040_704, 19_068, 84.0),
    (efficientnet_b7, 600, 600, 66_347_960, 37_746, 84.3),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2019,
            paper=PAPER,
            preprocess=_square((_size, _size), (_resize, _resize)),
            parameters=_parameters,
            multiply_adds=_millions * 1_000_000,
            accuracy=f"{_accuracy} % top-1 accuracy, single crop, ImageNet validation (table 2)",
            key_map=efficientnet_key,
        ),
    )
