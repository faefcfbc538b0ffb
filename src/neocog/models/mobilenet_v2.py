"""MobileNetV2: depthwise convolutions between narrow, linear layers; made for telephones, the default for photos.

M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", 2018, https://arxiv.org/abs/1801.04381, table 2

torchvision's form: dropout of 0.2 before the classifier, initial weights of the convolutions He's. Each of the
paper's seven rows of blocks is a stage.
"""

import re

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, InvertedResidual, initialise_convolutions, initialise_linears, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["mobilenet_v2"]

ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""expansion, channels, blocks, stride of the first block"""
STEM_CHANNELS = 32
LAST_CHANNELS = 1280


def mobilenet_v2(spec: ModelSpec) -> Network:
    """A 3x3 stem, seven stages of inverted residuals, and a 1x1 convolution to 1280 channels."""
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, STEM_CHANNELS, stride=2, activation=nn.ReLU6(inplace=True))}
    channels = STEM_CHANNELS
    for number, (expansion, width, blocks, stride) in enumerate(ROWS, start=1):
        stage = nn.Sequential()
        for index in range(blocks):
            stage.append(InvertedResidual(channels, expansion * channels, width, stride=stride if index == 0 else 1))
            channels = width
        stages[f"stage{number}"] = stage
    stages["last"] = ConvolutionUnit(channels, LAST_CHANNELS, 1, activation=nn.ReLU6(inplace=True))
    head = pooled_classifier(LAST_CHANNELS, spec.num_classes, dropout=0.2)
    widths = (STEM_CHANNELS, *(row[1] for row in ROWS), LAST_CHANNELS)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    initialise_linears(network)
    return network


PLACES = [(stage, index) for stage, row in enumerate(ROWS, start=1) for index in range(row[2])]
"""stage and index of each block, in the order in which torchvision counts them from features.1"""

PARTS = {
    True: {
        "0.0": "expand.conv",
        "0.1": "expand.norm",
        "1.0": "depthwise.conv",
        "1.1": "depthwise.norm",
        "2": "project.conv",
        "3": "project.norm",
    },
    False: {"0.0": "depthwise.conv", "0.1": "depthwise.norm", "1": "project.conv", "2": "project.norm"},
}
"""what torchvision's numbers within a block stand for, with and without expansion"""

UNIT = re.compile(r"features\.(\d+)\.([01])\.(\w+)")
BLOCK = re.compile(r"features\.(\d+)\.conv\.(\d(?:\.\d)?)\.(\w+)")


def mobilenet_v2_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    if key.startswith("classifier.1."):
        return f"head.fc.{key.removeprefix('classifier.1.')}"
    unit = UNIT.fullmatch(key)
    if unit and int(unit[1]) in (0, len(PLACES) + 1):
        return f"stages.{'last' if int(unit[1]) else 'stem'}.{('conv', 'norm')[int(unit[2])]}.{unit[3]}"
    block = BLOCK.fullmatch(key)
    if not block or not 1 <= int(block[1]) <= len(PLACES):
        return key
    stage, index = PLACES[int(block[1]) - 1]
    part = PARTS[ROWS[stage - 1][0] != 1].get(block[2])
    return f"stages.stage{stage}.{index}.body.{part}.{block[3]}" if part else key


MODELS.add_named(
    Entry(
        name="mobilenet_v2",
        build=mobilenet_v2,
        year=2018,
        paper="M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018, "
        "https://arxiv.org/abs/1801.04381",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=3_504_872,
        multiply_adds=301_000_000,
        accuracy="72.0 % top-1 accuracy on ImageNet (table 4)",
        key_map=mobilenet_v2_key,
    ),
)
