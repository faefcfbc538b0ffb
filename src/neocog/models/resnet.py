"""Residual networks for ImageNet, and one with a stem for small pictures.

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015,
https://arxiv.org/abs/1512.03385, table 1

What differs from the paper: resnet50 strides in the 3x3 convolution of a bottleneck instead of the first
1x1, as in torchvision, whose form, initial weights and parameter counts these have. resnet18_cifar begins
with a 3x3 convolution of stride 1 and no pooling, the usual change for pictures of 32 pixels; it is not one of
the paper's networks for CIFAR, which are in resnet_cifar.
"""

import re
from collections.abc import Callable, Sequence

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, Residual, basic_block, bottleneck, initialise_convolutions, pooled_classifier
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["PAPER", "resnet18", "resnet18_cifar", "resnet34", "resnet50", "resnet_key"]

PAPER = "K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning for Image Recognition, 2015, https://arxiv.org/abs/1512.03385"
WIDTHS = (64, 128, 256, 512)

Block = Callable[[int, int, int], Residual]

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


def resnet18(spec: ModelSpec) -> Network:
    """18 layers with weights."""
    return _resnet(spec, basic_block, (2, 2, 2, 2))


def resnet34(spec: ModelSpec) -> Network:
    """34 layers with weights."""
    return _resnet(spec, basic_block, (3, 4, 6, 3))


def resnet50(spec: ModelSpec) -> Network:
    """50 layers with weights, in bottlenecks."""
    return _resnet(spec, bottleneck, (3, 4, 6, 3))


def resnet18_cifar(spec: ModelSpec) -> Network:
    """resnet18 whose first three operations are one 3x3 convolution: strides 1, 1, 2, 4, 8."""
    return _resnet(spec, basic_block, (2, 2, 2, 2), small=True)


def _resnet(spec: ModelSpec, block: Block, depths: Sequence[int], *, small: bool = False) -> Network:
    kernel, stride = (3, 1) if small else (7, 2)
    stages: dict[str, nn.Module] = {
        "stem": ConvolutionUnit(spec.in_channels, WIDTHS[0], kernel, stride=stride, activation=nn.ReLU(inplace=True))
    }
    expansion = 4 if block is bottleneck else 1
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


IMAGENET = Preprocess((224, 224), (256, 256))

for _build, _parameters, _weights in (
    (resnet18, 11_689_512, "resnet18-f37072fd.pth"),
    (resnet34, 21_797_672, "resnet34-b627a593.pth"),
    (resnet50, 25_557_032, "resnet50-0676ba61.pth"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2015,
            paper=PAPER,
            preprocess=IMAGENET,
            parameters=_parameters,
            weights=(_weights,),
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
