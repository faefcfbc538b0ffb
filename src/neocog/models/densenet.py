"""DenseNet: each layer sees the maps of all layers before it and adds a few of its own.

G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely Connected Convolutional Networks", 2016,
https://arxiv.org/abs/1608.06993, table 1

These are DenseNet-BC of table 1: 1x1 bottlenecks of four growth rates, and transitions that halve the channels.
densenet161 grows by 48 channels a layer and begins with 96; it is in the first versions of the paper and in the
authors' repository. Forms and initial weights (He's, fan in) are torchvision's. A stage is a dense block with what
leads to it: its map is not normalised yet, because whatever follows normalises it for itself.
"""

import re

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, dense_block, pooled_classifier, preactivated
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["densenet121", "densenet161", "densenet169", "densenet201"]

PAPER = (
    "G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, Densely Connected Convolutional Networks, 2016, "
    "https://arxiv.org/abs/1608.06993"
)


def densenet121(spec: ModelSpec) -> Network:
    """Blocks of 6, 12, 24 and 16 layers that grow by 32 channels."""
    return _densenet(spec, (6, 12, 24, 16))


def densenet161(spec: ModelSpec) -> Network:
    """Blocks of 6, 12, 36 and 24 layers that grow by 48 channels."""
    return _densenet(spec, (6, 12, 36, 24), growth_rate=48)


def densenet169(spec: ModelSpec) -> Network:
    """Blocks of 6, 12, 32 and 32 layers that grow by 32 channels."""
    return _densenet(spec, (6, 12, 32, 32))


def densenet201(spec: ModelSpec) -> Network:
    """Blocks of 6, 12, 48 and 32 layers that grow by 32 channels."""
    return _densenet(spec, (6, 12, 48, 32))


def _densenet(spec: ModelSpec, depths: tuple[int, ...], growth_rate: int = 32) -> Network:
    channels = 2 * growth_rate
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, channels, 7, stride=2, activation=nn.ReLU(inplace=True))}
    widths = [channels]
    for number, depth in enumerate(depths, start=1):
        stage = nn.Sequential()
        if number == 1:
            stage.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        else:
            stage.add_module("transition", preactivated(channels, channels // 2, 1))
            stage.add_module("pool", nn.AvgPool2d(2))
            channels //= 2
        stage.add_module("layers", dense_block(channels, depth, growth_rate))
        channels += depth * growth_rate
        stages[f"block{number}"] = stage
        widths.append(channels)
    head = _head(channels, spec.num_classes)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return network


def _head(channels: int, num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("norm", nn.BatchNorm2d(channels))
    head.add_module("activation", nn.ReLU(inplace=True))
    for name, module in pooled_classifier(channels, num_classes).named_children():
        head.add_module(name, module)
    return head


FOREIGN_ENDS = {
    "features.conv0": "stages.stem.conv",
    "features.norm0": "stages.stem.norm",
    "features.norm5": "head.norm",
    "classifier": "head.fc",
}
FOREIGN_LAYER = re.compile(r"features\.denseblock(\d)\.denselayer(\d+)\.(norm|conv)\.?([12])")  # norm.1 in published files, else norm1
FOREIGN_TRANSITION = re.compile(r"features\.transition(\d)\.(norm|conv)")


def densenet_key(key: str) -> str:
    """Our key of a tensor from torchvision's, as its modules or its published files spell it; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    if layer in FOREIGN_ENDS:
        return f"{FOREIGN_ENDS[layer]}.{tensor}"
    if found := FOREIGN_LAYER.fullmatch(layer):
        half = "reduce" if found[4] == "1" else "grow"
        return f"stages.block{found[1]}.layers.{int(found[2]) - 1}.{half}.{found[3]}.{tensor}"
    if found := FOREIGN_TRANSITION.fullmatch(layer):
        return f"stages.block{int(found[1]) + 1}.transition.{found[2]}.{tensor}"
    return key


for _build, _parameters, _multiply_adds, _accuracy in (
    (densenet121, 7_978_856, 2_834_000_000, "25.02 % top-1, 7.71 % top-5 error, single crop, ILSVRC-2012 validation (table 3)"),
    (densenet161, 28_681_000, 7_728_000_000, ""),
    (densenet169, 14_149_480, 3_360_000_000, "23.80 % top-1, 6.85 % top-5 error, single crop, ILSVRC-2012 validation (table 3)"),
    (densenet201, 20_013_928, 4_291_000_000, "22.58 % top-1, 6.34 % top-5 error, single crop, ILSVRC-2012 validation (table 3)"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2016,
            paper=PAPER,
            preprocess=Preprocess((224, 224), (256, 256)),
            parameters=_parameters,
            multiply_adds=_multiply_adds,
            accuracy=_accuracy,
            min_size=29,
            key_map=densenet_key,
        ),
    )
