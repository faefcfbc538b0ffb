"""MobileNetV3: inverted residuals whose every row was searched for, with squeeze and excitation and hard-swish.

A. Howard, M. Sandler, G. Chu, L.-C. Chen, B. Chen, M. Tan, W. Wang, Y. Zhu, R. Pang, V. Vasudevan, Q. Le, H. Adam,
"Searching for MobileNetV3", 2019, https://arxiv.org/abs/1905.02244, tables 1 and 2

torchvision's form: the channels of a squeeze are a quarter of the expansion, rounded to a multiple of 8; the layers
before the logits are linear ones on the pooled map; dropout is 0.2, and the constants of batch normalisation are 0.001
and 0.01. Table 2 also has squeeze and excitation after the last convolution of the small network, which torchvision
leaves out. Blocks of equally many channels that follow one another are a stage.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import (
    ConvolutionUnit,
    InvertedResidual,
    SqueezeExcitation,
    initialise_convolutions,
    initialise_linears,
    set_batch_norms,
)
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["block_layers", "mobilenet_v3_large", "mobilenet_v3_large_key", "mobilenet_v3_small", "mobilenet_v3_small_key"]

STEM_CHANNELS = 16
LAST_EXPANSION = 6  # the last convolution's channels to those of the last block


class Row(NamedTuple):
    """One line of tables 1 and 2.

    Attributes:
        kernel: side of the depthwise kernel.
        width: channels inside ("exp size").
        channels: of the output ("#out").
        excites: whether it has squeeze and excitation ("SE").
        nonlinearity: relu ("RE") or hard-swish ("HS").
        stride: of the depthwise convolution ("s").
    """

    kernel: int
    width: int
    channels: int
    excites: bool
    nonlinearity: type[nn.Module]
    stride: int


SE, NO_SE = True, False
RE, HS = nn.ReLU, nn.Hardswish

LARGE = (
    Row(3, 16, 16, NO_SE, RE, 1),
    Row(3, 64, 24, NO_SE, RE, 2),
    Row(3, 72, 24, NO_SE, RE, 1),
    Row(5, 72, 40, SE, RE, 2),
    Row(5, 120, 40, SE, RE, 1),
    Row(5, 120, 40, SE, RE, 1),
    Row(3, 240, 80, NO_SE, HS, 2),
    Row(3, 200, 80, NO_SE, HS, 1),
    Row(3, 184, 80, NO_SE, HS, 1),
    Row(3, 184, 80, NO_SE, HS, 1),
    Row(3, 480, 112, SE, HS, 1),
    Row(3, 672, 112, SE, HS, 1),
    Row(5, 672, 160, SE, HS, 2),
    Row(5, 960, 160, SE, HS, 1),
    Row(5, 960, 160, SE, HS, 1),
)
"""Table 1."""
SMALL = (
    Row(3, 16, 16, SE, RE, 2),
    Row(3, 72, 24, NO_SE, RE, 2),
    Row(3, 88, 24, NO_SE, RE, 1),
    Row(5, 96, 40, SE, HS, 2),
    Row(5, 240, 40, SE, HS, 1),
    Row(5, 240, 40, SE, HS, 1),
    Row(5, 120, 48, SE, HS, 1),
    Row(5, 144, 48, SE, HS, 1),
    Row(5, 288, 96, SE, HS, 2),
    Row(5, 576, 96, SE, HS, 1),
    Row(5, 576, 96, SE, HS, 1),
)
"""Table 2."""


def mobilenet_v3_large(spec: ModelSpec) -> Network:
    """15 inverted residuals in six stages, and 1280 hidden units."""
    return _mobilenet_v3(spec, LARGE, 1280)


def mobilenet_v3_small(spec: ModelSpec) -> Network:
    """11 inverted residuals in five stages, and 1024 hidden units."""
    return _mobilenet_v3(spec, SMALL, 1024)


def _mobilenet_v3(spec: ModelSpec, rows: Sequence[Row], hidden: int) -> Network:
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, STEM_CHANNELS, stride=2, activation=nn.Hardswish())}
    channels = STEM_CHANNELS
    widths = [channels]
    for number, stage_rows in enumerate(_stages(rows), start=1):
        stage = nn.Sequential()
        for row in stage_rows:
            stage.append(_block(channels, row))
            channels = row.channels
        stages[f"stage{number}"] = stage
        widths.append(channels)
    last = LAST_EXPANSION * channels
    stages["last"] = ConvolutionUnit(channels, last, 1, activation=nn.Hardswish())
    head = _head(last, hidden, spec.num_classes)
    network = Network(stages, head, channels=(*widths, last), preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    initialise_linears(network)
    set_batch_norms(network, epsilon=0.001, momentum=0.01)
    return network


def _stages(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows, cut where the number of channels changes."""
    return [list(group) for _, group in groupby(rows, key=lambda row: row.channels)]


def _block(in_channels: int, row: Row) -> InvertedResidual:
    excitation = SqueezeExcitation(row.width, _squeezed(row.width), gate=nn.Hardsigmoid()) if row.excites else None
    return InvertedResidual(
        in_channels, row.width, row.channels, kernel=row.kernel, stride=row.stride, activation=row.nonlinearity, excitation=excitation
    )


def _squeezed(width: int) -> int:
    """A quarter, to the nearest multiple of 8, but no less than nine tenths of it."""
    quarter = width // 4
    rounded = max(8, (quarter + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * quarter else rounded + 8


def _head(channels: int, hidden: int, num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("pool", nn.AdaptiveAvgPool2d(1))
    head.add_module("flatten", nn.Flatten())
    head.add_module("hidden", nn.Linear(channels, hidden))
    head.add_module("activation", nn.Hardswish())
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(hidden, num_classes))
    return head


def block_layers(theirs: str, ours: str, parts: Sequence[str]) -> dict[str, str]:
    """Our name of each layer of an inverted residual by torchvision's, which numbers its parts.

    Args:
        theirs: torchvision's name of the block.
        ours: our name of it.
        parts: of ours in order: "expand", "depthwise", "excitation", "project", or those of them that it has.
    """
    layers: dict[str, str] = {}
    for position, part in enumerate(parts):
        pairs = (("fc1", "squeeze"), ("fc2", "excite")) if part == "excitation" else (("0", "conv"), ("1", "norm"))
        layers |= {f"{theirs}.block.{position}.{their}": f"{ours}.body.{part}.{our}" for their, our in pairs}
    return layers


def _foreign_layers(rows: Sequence[Row]) -> dict[str, str]:
    """Our name of each layer by torchvision's, which counts stem, blocks and last convolution in one row."""
    layers = {"features.0.0": "stages.stem.conv", "features.0.1": "stages.stem.norm"}
    position, channels = 1, STEM_CHANNELS
    for number, stage_rows in enumerate(_stages(rows), start=1):
        for index, row in enumerate(stage_rows):
            present = {"expand": row.width != channels, "depthwise": True, "excitation": row.excites, "project": True}
            parts = [part for part, there in present.items() if there]
            layers |= block_layers(f"features.{position}", f"stages.stage{number}.{index}", parts)
            position, channels = position + 1, row.channels
    layers |= {f"features.{position}.0": "stages.last.conv", f"features.{position}.1": "stages.last.norm"}
    return layers | {"classifier.0": "head.hidden", "classifier.3": "head.fc"}


FOREIGN_LAYERS = {"large": _foreign_layers(LARGE), "small": _foreign_layers(SMALL)}


def mobilenet_v3_large_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{FOREIGN_LAYERS['large'][layer]}.{tensor}" if layer in FOREIGN_LAYERS["large"] else key


def mobilenet_v3_small_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{FOREIGN_LAYERS['small'][layer]}.{tensor}" if layer in FOREIGN_LAYERS["small"] else key


for _build, _parameters, _multiply_adds, _key_map, _accuracy in (
    (mobilenet_v3_large, 5_483_032, 217_000_000, mobilenet_v3_large_key, "75.2 % top-1 accuracy on ImageNet (table 3)"),
    (mobilenet_v3_small, 2_542_856, 57_000_000, mobilenet_v3_small_key, "67.4 % top-1 accuracy on ImageNet (table 3)"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2019,
            paper="A. Howard, M. Sandler, G. Chu, L.-C. Chen, B. Chen, M. Tan, W. Wang, Y. Zhu, R. Pang, V. Vasudevan, Q. Le, H. Adam, "
            "Searching for MobileNetV3, 2019, https://arxiv.org/abs/1905.02244",
            preprocess=Preprocess((224, 224), (256, 256)),
            parameters=_parameters,
            multiply_adds=_multiply_adds,
            accuracy=_accuracy,
            key_map=_key_map,
        ),
    )
