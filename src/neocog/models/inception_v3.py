"""Inception-v3: large kernels factorised into small and into one-dimensional ones.

C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception Architecture for Computer Vision",
2015, https://arxiv.org/abs/1512.00567, table 1, figures 5 to 7 and 10, section 4

This is torchvision's form, which is that of the weights that the authors published, and so has their module names.
What differs from the paper: the stem pools a second time and convolves with 1x1 and 3x3 kernels where table 1
strides in a convolution; modules of figure 5 keep a 5x5 kernel in one of two branches; one auxiliary classifier, on
the last 17x17 map, is batch normalised throughout. The paper does not say how much the auxiliary loss counts; 0.4
is what the authors' training program takes.

Of the 27,161,264 parameters, 3,326,696 are in the auxiliary classifier, which only training needs: the paper's "less
than 25 million" are without. Where its map is smaller than 17x17, which is below 299 pixels, it is averaged to the
5x5 points that the classifier's 5x5 convolution needs; torchvision's fails there. Its last norm sees one point of
each image up to 346 pixels, so training takes batches of at least two.

Weights want images scaled to [-1, 1], which is what the mean and standard deviation of 0.5 do. Initial weights equal
those that torchvision draws with init_weights=True.
"""

import re
from collections.abc import Mapping

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import AuxiliaryPool, Inception, initialise_truncated, normalised_unit, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["inception_v3"]

Kernel = int | tuple[int, int] | None
"""Side, or height and width; None for 1x3 and 3x1 side by side."""
Branch = tuple[tuple[int, Kernel], ...]
"""Channels and kernel of each convolution. The branch "pool" pools before them; without any, its module halves the map."""
Branches = Mapping[str, Branch]

ROW, COLUMN = (1, 7), (7, 1)


def figure5(pooled: int) -> Branches:
    """On 35x35 maps; `pooled` channels come from the branch that pools."""
    return {
        "1x1": ((64, 1),),
        "5x5": ((48, 1), (64, 5)),
        "double3x3": ((64, 1), (96, 3), (96, 3)),
        "pool": ((pooled, 1),),
    }


def figure6(width: int) -> Branches:
    """On 17x17 maps, n = 7; `width` channels inside the branches."""
    return {
        "1x1": ((192, 1),),
        "7x7": ((width, 1), (width, ROW), (192, COLUMN)),
        "double7x7": ((width, 1), (width, COLUMN), (width, ROW), (width, COLUMN), (192, ROW)),
        "pool": ((192, 1),),
    }


FIGURE7: Branches = {
    "1x1": ((320, 1),),
    "3x3": ((384, 1), (384, None)),
    "double3x3": ((448, 1), (384, 3), (384, None)),
    "pool": ((192, 1),),
}
"""On 8x8 maps."""
TO_17: Branches = {"3x3": ((384, 3),), "double3x3": ((64, 1), (96, 3), (96, 3)), "pool": ()}
"""Figure 10: from 35x35 to 17x17."""
TO_8: Branches = {"3x3": ((192, 1), (320, 3)), "7x7_3x3": ((192, 1), (192, ROW), (192, COLUMN), (192, 3)), "pool": ()}
"""From 17x17 to 8x8."""

STAGES: Mapping[str, Mapping[str, Branches]] = {
    "mixed5": {"b": figure5(32), "c": figure5(64), "d": figure5(64)},
    "mixed6": {"a": TO_17, "b": figure6(128), "c": figure6(160), "d": figure6(160), "e": figure6(192)},
    "mixed7": {"a": TO_8, "b": FIGURE7, "c": FIGURE7},
}
AUXILIARY = "mixed6"  # the stage whose map the auxiliary classifier sees
AUXILIARY_WEIGHT = 0.4


def inception_v3(spec: ModelSpec) -> Network:
    """Two stages of plain convolutions and three of modules at strides 2 to 32; one auxiliary classifier."""
    stages, channels = _stem(spec.in_channels)
    widths = [64, channels]
    auxiliary = {}
    for name, modules in STAGES.items():
        stage = stages[name] = nn.Sequential()
        if name == "mixed5":
            stage.add_module("pool", nn.MaxPool2d(3, stride=2))
        for letter, module in modules.items():
            branches, channels = _module(channels, module)
            stage.add_module(letter, branches)
        widths.append(channels)
        if name == AUXILIARY:
            auxiliary[name] = _auxiliary(channels, spec.num_classes)
    head = pooled_classifier(channels, spec.num_classes, dropout=0.5)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes, auxiliary=auxiliary)
    network.auxiliary_weight = AUXILIARY_WEIGHT
    _initialise(network)
    return network


def _stem(in_channels: int) -> tuple[dict[str, nn.Sequential], int]:
    first, second = nn.Sequential(), nn.Sequential()
    first.add_module("a", normalised_unit(in_channels, 32, 3, stride=2, padded=False))
    first.add_module("b", normalised_unit(32, 32, 3, padded=False))
    first.add_module("c", normalised_unit(32, 64, 3))
    second.add_module("pool", nn.MaxPool2d(3, stride=2))
    second.add_module("a", normalised_unit(64, 80))
    second.add_module("b", normalised_unit(80, 192, 3, padded=False))
    return {"conv1": first, "conv2": second}, 192


def _module(in_channels: int, module: Branches) -> tuple[Inception, int]:
    """The branches, and how many channels they give together."""
    halves = not module["pool"]
    branches, total = {}, 0
    for name, convolutions in module.items():
        branch, channels = nn.Sequential(), in_channels
        if name == "pool":
            branch.append(nn.MaxPool2d(3, stride=2) if halves else nn.AvgPool2d(3, stride=1, padding=1))
        for index, (width, kernel) in enumerate(convolutions, start=1):
            strides = halves and index == len(convolutions)
            unit, channels = _convolution(channels, width, kernel, strides=strides)
            branch.append(unit)
        branches[name] = branch
        total += channels
    return Inception(branches), total


def _convolution(in_channels: int, width: int, kernel: Kernel, *, strides: bool) -> tuple[nn.Module, int]:
    if kernel is None:
        sides = {"row": normalised_unit(in_channels, width, (1, 3)), "column": normalised_unit(in_channels, width, (3, 1))}
        return Inception(sides), 2 * width
    return normalised_unit(in_channels, width, kernel, stride=2 if strides else 1, padded=not strides), width


def _auxiliary(channels: int, num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("pool", AuxiliaryPool(least=5))
    head.add_module("conv0", normalised_unit(channels, 128, 1))
    head.add_module("conv1", normalised_unit(128, 768, 5, padded=False))
    for name, module in pooled_classifier(768, num_classes).named_children():
        head.add_module("average" if name == "pool" else name, module)
    return head


def _initialise(network: Network) -> None:
    """Normal weights, the smallest in the auxiliary classifier's last layer; drawn in the order of the layers."""
    for name, stage in network.stages.items():
        initialise_truncated(stage, std=0.1)
        if name in network.auxiliary:
            for layer, part in network.auxiliary[name].named_children():
                initialise_truncated(part, std=0.001 if layer == "fc" else 0.1)
    initialise_truncated(network.head, std=0.1)


FOREIGN_UNITS = {
    "Conv2d_1a_3x3": "stages.conv1.a",
    "Conv2d_2a_3x3": "stages.conv1.b",
    "Conv2d_2b_3x3": "stages.conv1.c",
    "Conv2d_3b_1x1": "stages.conv2.a",
    "Conv2d_4a_3x3": "stages.conv2.b",
    "AuxLogits.conv0": f"auxiliary.{AUXILIARY}.conv0",
    "AuxLogits.conv1": f"auxiliary.{AUXILIARY}.conv1",
}
FOREIGN_LINEARS = {"fc": "head.fc", "AuxLogits.fc": f"auxiliary.{AUXILIARY}.fc"}
FOREIGN_BRANCHES = {"3x3dbl": "double3x3", "7x7dbl": "double7x7", "7x7x3": "7x7_3x3", "_pool": "pool"}
FOREIGN_UNIT = re.compile(r"Mixed_(\d)([a-e])\.branch(\dx\d|\dx\ddbl|7x7x3|_pool)(?:_(\d)([ab]?))?")
PARTS = {"conv": "conv", "bn": "norm"}


def inception_v3_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    if layer in FOREIGN_LINEARS:
        return f"{FOREIGN_LINEARS[layer]}.{tensor}"
    unit, _, part = layer.rpartition(".")
    ours = FOREIGN_UNITS.get(unit) or _in_a_module(unit)
    return f"{ours}.{PARTS[part]}.{tensor}" if ours and part in PARTS else key


def _in_a_module(unit: str) -> str | None:
    found = FOREIGN_UNIT.fullmatch(unit)
    if not found:
        return None
    stage, letter, branch, number, side = found.groups()
    index = 1 if branch == "_pool" else int(number or 1) - 1  # the pooling itself is 0
    suffix = {"a": ".row", "b": ".column"}.get(side, "")
    return f"stages.mixed{stage}.{letter}.{FOREIGN_BRANCHES.get(branch, branch)}.{index}{suffix}"


MODELS.add_named(
    Entry(
        name="inception_v3",
        build=inception_v3,
        year=2015,
        paper="C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, Rethinking the Inception Architecture for Computer Vision, 2015, "
        "https://arxiv.org/abs/1512.00567",
        preprocess=Preprocess((299, 299), (342, 342), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        parameters=27_161_264,
        multiply_adds=5_713_000_000,
        accuracy="21.2 % top-1, 5.6 % top-5 error, single crop, ILSVRC-2012 validation (table 3)",
        min_size=75,
        key_map=inception_v3_key,
    ),
)
