"""Residual networks for ImageNet, their plain controls, and the wide and the grouped ones that followed.

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015,
https://arxiv.org/abs/1512.03385, table 1
S. Zagoruyko, N. Komodakis, "Wide Residual Networks", 2016, https://arxiv.org/abs/1605.07146, table 8
S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He, "Aggregated Residual Transformations for Deep Neural Networks", 2016,
https://arxiv.org/abs/1611.05431, table 1

resnet18 to resnet152 have torchvision's form: a bottleneck strides in its 3x3 convolution, and a shortcut whose ends
differ is a 1x1 convolution (option B). resnet50_2015 strides in the first 1x1 convolution, as the paper does: the same
weights fit, but that convolution then has a quarter of the points, 3,857,973,248 multiply-adds (the paper's 3.8e9)
against 4,089,184,256. plain18 and plain34 have no shortcuts; the paper compares them with residual networks of
option A, which have no more parameters than they.

wide_resnet50_2 and resnext50_32x4d have 3x3 convolutions of twice resnet50's width, in one part and in 32.

resnet18_cifar begins with a 3x3 convolution of stride 1 and no pooling, the usual change for pictures of 32 pixels; it
is not one of the paper's networks for CIFAR, which are in resnet_cifar.

Initial weights of the convolutions are He's, as in the paper and in torchvision.
"""

import re
from collections.abc import Callable, Sequence

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, basic_block, bottleneck, initialise_convolutions, plain_block, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = [
    "PAPER",
    "Block",
    "plain18",
    "plain34",
    "resnet18",
    "resnet18_cifar",
    "resnet34",
    "resnet50",
    "resnet50_2015",
    "resnet101",
    "resnet152",
    "resnet_key",
    "resnext50_32x4d",
    "wide_resnet50_2",
]

PAPER = "K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning for Image Recognition, 2015, https://arxiv.org/abs/1512.03385"
WIDE_PAPER = "S. Zagoruyko, N. Komodakis, Wide Residual Networks, 2016, https://arxiv.org/abs/1605.07146"
NEXT_PAPER = (
    "S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He, Aggregated Residual Transformations for Deep Neural Networks, 2016, "
    "https://arxiv.org/abs/1611.05431"
)

WIDTHS = (64, 128, 256, 512)
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks of each layer, by layers with weights: table 1."""
EXPANSION = 4  # output of a bottleneck to its width
CARDINALITY = 32

Block = Callable[[int, int, int], nn.Module]
"""Makes a block from (in_channels, width, stride)."""


def resnet18(spec: ModelSpec) -> Network:
    """18 layers with weights."""
    return _resnet(spec, basic_block, DEPTHS[18])


def resnet34(spec: ModelSpec) -> Network:
    """34 layers with weights."""
    return _resnet(spec, basic_block, DEPTHS[34])


def resnet50(spec: ModelSpec) -> Network:
    """50 layers with weights, in bottlenecks."""
    return _resnet(spec, bottleneck, DEPTHS[50], expansion=EXPANSION)


def resnet101(spec: ModelSpec) -> Network:
    """101 layers with weights, in bottlenecks."""
    return _resnet(spec, bottleneck, DEPTHS[101], expansion=EXPANSION)


def resnet152(spec: ModelSpec) -> Network:
    """152 layers with weights, in bottlenecks."""
    return _resnet(spec, bottleneck, DEPTHS[152], expansion=EXPANSION)


def resnet50_2015(spec: ModelSpec) -> Network:
    """resnet50 whose bottlenecks stride in their first convolution."""
    return _resnet(spec, _bottleneck_2015, DEPTHS[50], expansion=EXPANSION)


def wide_resnet50_2(spec: ModelSpec) -> Network:
    """resnet50 with 3x3 convolutions of twice the width."""
    return _resnet(spec, _wide_bottleneck, DEPTHS[50], expansion=EXPANSION)


def resnext50_32x4d(spec: ModelSpec) -> Network:
    """resnet50 with 3x3 convolutions of twice the width in 32 groups: 4 channels a group in the first layer."""
    return _resnet(spec, _grouped_bottleneck, DEPTHS[50], expansion=EXPANSION)


def plain18(spec: ModelSpec) -> Network:
    """resnet18 without shortcuts."""
    return _resnet(spec, plain_block, DEPTHS[18])


def plain34(spec: ModelSpec) -> Network:
    """resnet34 without shortcuts."""
    return _resnet(spec, plain_block, DEPTHS[34])


def resnet18_cifar(spec: ModelSpec) -> Network:
    """resnet18 whose first three operations are one 3x3 convolution: strides 1, 1, 2, 4, 8."""
    return _resnet(spec, basic_block, DEPTHS[18], small=True)


def _bottleneck_2015(in_channels: int, width: int, stride: int) -> nn.Module:
    return bottleneck(in_channels, width, stride, first_strides=True)


def _wide_bottleneck(in_channels: int, width: int, stride: int) -> nn.Module:
    return bottleneck(in_channels, 2 * width, stride, expansion=EXPANSION // 2)


def _grouped_bottleneck(in_channels: int, width: int, stride: int) -> nn.Module:
    return bottleneck(in_channels, 2 * width, stride, expansion=EXPANSION // 2, groups=CARDINALITY)


def _resnet(spec: ModelSpec, block: Block, depths: Sequence[int], *, expansion: int = 1, small: bool = False) -> Network:
    kernel, stride = (3, 1) if small else (7, 2)
    stages: dict[str, nn.Module] = {
        "stem": ConvolutionUnit(spec.in_channels, WIDTHS[0], kernel, stride=stride, activation=nn.ReLU(inplace=True))
    }
    channels = WIDTHS[0]
    for number, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True), start=1):
        layer = nn.Sequential()
        if number == 1 and not small:
            layer.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        for index in range(depth):
            layer.add_module(str(index), block(channels, width, 2 if number > 1 and index == 0 else 1))
            channels = width * expansion
        stages[f"layer{number}"] = layer
    head = pooled_classifier(channels, spec.num_classes)
    widths = (WIDTHS[0], *(width * expansion for width in WIDTHS))
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


IN_A_BLOCK = (
    (re.compile(r"\bconv(\d)\."), lambda found: f"body.{int(found[1]) - 1}.conv."),
    (re.compile(r"\bbn(\d)\."), lambda found: f"body.{int(found[1]) - 1}.norm."),
    (re.compile(r"\bdownsample\.0\."), lambda found: "shortcut.conv."),
    (re.compile(r"\bdownsample\.1\."), lambda found: "shortcut.norm."),
)


def resnet_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    for theirs, ours in (("conv1.", "stages.stem.conv."), ("bn1.", "stages.stem.norm."), ("fc.", "head.fc."), ("linear.", "head.fc.")):
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    if not re.match(r"layer\d\.", key):
        return key
    for pattern, replacement in IN_A_BLOCK:
        key = pattern.sub(replacement, key)
    return f"stages.{key}"


IMAGENET = Preprocess((224, 224), (256, 256))
TEN_CROPS = "top-1 error, 10 crops, ILSVRC-2012 validation"
ONE_CROP = "top-1 error, single crop, ILSVRC-2012 validation"

for _build, _paper, _parameters, _millions, _accuracy in (
    (resnet18, PAPER, 11_689_512, 1_814, f"27.88 % {TEN_CROPS}, with option A (table 2)"),
    (resnet34, PAPER, 21_797_672, 3_664, f"24.52 % {TEN_CROPS} (table 3)"),
    (resnet50, PAPER, 25_557_032, 4_089, ""),
    (resnet101, PAPER, 44_549_160, 7_801, ""),
    (resnet152, PAPER, 60_192_808, 11_514, ""),
    (resnet50_2015, PAPER, 25_557_032, None, f"22.85 % {TEN_CROPS} (table 3)"),
    (wide_resnet50_2, WIDE_PAPER, 68_883_240, 11_398, f"21.9 % {ONE_CROP} (table 8)"),
    (resnext50_32x4d, NEXT_PAPER, 25_028_904, 4_230, f"22.2 % {ONE_CROP} (table 3)"),
    (plain18, PAPER, 11_515_688, 1_800, f"27.94 % {TEN_CROPS} (table 2)"),
    (plain34, PAPER, 21_623_848, None, f"28.54 % {TEN_CROPS} (table 2)"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2015 if _paper is PAPER else 2016,
            paper=_paper,
            preprocess=IMAGENET,
            parameters=_parameters,
            multiply_adds=_millions and _millions * 1_000_000,
            accuracy=_accuracy,
            key_map=resnet_key,
        ),
    )

MODELS.add_named(
    Entry(
        name="resnet18_cifar",
        build=resnet18_cifar,
        year=2015,
        paper=PAPER,
        preprocess=Preprocess((32, 32), (32, 32)),
        parameters=11_173_962,
        min_size=8,
        classes=10,
        key_map=resnet_key,
    ),
)
