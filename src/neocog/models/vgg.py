"""VGG: nothing but 3x3 convolutions, pooling, and three dense layers.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
https://arxiv.org/abs/1409.1556, table 1

All six columns of the table, and torchvision's forms of A, B, D and E with batch normalisation after every
convolution (the paper has none):

    A vgg11    A-LRN vgg11_lrn    B vgg13    C vgg16_1x1    D vgg16    E vgg19

A-LRN normalises the map of the first convolution across channels, after the rectifier, with AlexNet's constants;
the paper finds that it helps nothing. C ends its last three stages with 1x1 convolutions where D has 3x3.

What differs from the paper, as in torchvision: initial weights of the convolutions are He's, so that no
shallower network need be trained first, and the last map is averaged to 7x7, so that images of other sizes
than 224 are taken. A stage's map is that of its last convolution; the pooling begins the next stage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import AverageTo, LocalResponseNorm, dense_classifier, initialise_convolutions, initialise_linears
from neocog.models.entry import MODELS, Entry, ModelSpec, same_key
from neocog.models.network import Network

__all__ = ["vgg11", "vgg11_bn", "vgg11_lrn", "vgg13", "vgg13_bn", "vgg16", "vgg16_1x1", "vgg16_bn", "vgg19", "vgg19_bn"]

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of each stage, the same in every column."""
POOLED = 7  # side of the last map


@dataclass(frozen=True)
class Column:
    """A column of table 1.

    Attributes:
        depths: convolutions of each stage.
        last_kernels: side of the kernel of each stage's last convolution; all others are 3x3.
        response_norm: the first convolution's map is normalised across channels.
    """

    depths: tuple[int, ...]
    last_kernels: tuple[int, ...] = (3, 3, 3, 3, 3)
    response_norm: bool = False


A = Column((1, 1, 2, 2, 2))
A_LRN = Column((1, 1, 2, 2, 2), response_norm=True)
B = Column((2, 2, 2, 2, 2))
C = Column((2, 2, 3, 3, 3), last_kernels=(3, 3, 1, 1, 1))
D = Column((2, 2, 3, 3, 3))
E = Column((2, 2, 4, 4, 4))


def vgg11(spec: ModelSpec) -> Network:
    """Column A."""
    return _vgg(spec, A)


def vgg11_lrn(spec: ModelSpec) -> Network:
    """Column A-LRN: one response normalisation."""
    return _vgg(spec, A_LRN)


def vgg13(spec: ModelSpec) -> Network:
    """Column B."""
    return _vgg(spec, B)


def vgg16_1x1(spec: ModelSpec) -> Network:
    """Column C: three of the convolutions are 1x1."""
    return _vgg(spec, C)


def vgg16(spec: ModelSpec) -> Network:
    """Column D: 13 convolutions in five stages at strides 1 to 16, and three dense layers."""
    return _vgg(spec, D)


def vgg19(spec: ModelSpec) -> Network:
    """Column E."""
    return _vgg(spec, E)


def vgg11_bn(spec: ModelSpec) -> Network:
    """Column A with batch normalisation."""
    return _vgg(spec, A, batch_norm=True)


def vgg13_bn(spec: ModelSpec) -> Network:
    """Column B with batch normalisation."""
    return _vgg(spec, B, batch_norm=True)


def vgg16_bn(spec: ModelSpec) -> Network:
    """Column D with batch normalisation."""
    return _vgg(spec, D, batch_norm=True)


def vgg19_bn(spec: ModelSpec) -> Network:
    """Column E with batch normalisation."""
    return _vgg(spec, E, batch_norm=True)


def _vgg(spec: ModelSpec, column: Column, *, batch_norm: bool = False) -> Network:
    stages: dict[str, nn.Module] = {}
    channels = spec.in_channels
    for number, (width, depth, last_kernel) in enumerate(zip(WIDTHS, column.depths, column.last_kernels, strict=True), start=1):
        stage = nn.Sequential()
        if number > 1:
            stage.add_module("pool", nn.MaxPool2d(2))
        for index in range(1, depth + 1):
            kernel = last_kernel if index == depth else 3
            stage.add_module(f"conv{index}", nn.Conv2d(channels, width, kernel, padding=kernel // 2))
            if batch_norm:
                stage.add_module(f"norm{index}", nn.BatchNorm2d(width))
            stage.add_module(f"activation{index}", nn.ReLU(inplace=True))
            channels = width
        if number == 1 and column.response_norm:
            stage.add_module("response_norm", LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0))
        stages[f"stage{number}"] = stage
    before = {"pool": nn.MaxPool2d(2), "average": AverageTo(POOLED), "flatten": nn.Flatten()}
    head = dense_classifier(before, channels * POOLED**2, spec.num_classes)
    network = Network(stages, head, channels=WIDTHS, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    initialise_linears(network)
    return network


def _foreign_features(column: Column, batch_norm: bool) -> Iterator[str]:
    """What stands at each place of torchvision's row of features: a layer of ours, or "" where nothing has weights."""
    for number, depth in enumerate(column.depths, start=1):
        for index in range(1, depth + 1):
            yield f"stages.stage{number}.conv{index}"
            if batch_norm:
                yield f"stages.stage{number}.norm{index}"
            yield ""  # activation
        yield ""  # pooling


def _foreign_layers(column: Column, batch_norm: bool) -> dict[str, str]:
    """Our layers by torchvision's names."""
    layers = {f"features.{place}": layer for place, layer in enumerate(_foreign_features(column, batch_norm)) if layer}
    return {**layers, "classifier.0": "head.fc1", "classifier.3": "head.fc2", "classifier.6": "head.fc3"}


def vgg_key(key: str, layers: dict[str, str]) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is.

    Args:
        key: torchvision's.
        layers: our layers by torchvision's names; they differ from column to column.
    """
    layer, _, tensor = key.rpartition(".")
    return f"{layers[layer]}.{tensor}" if layer in layers else key


vgg16_key = partial(vgg_key, layers=_foreign_layers(D, batch_norm=False))
"""Our key of a tensor from torchvision's vgg16."""

PAPER = (
    "K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, https://arxiv.org/abs/1409.1556"
)


def _reported(top1: float, top5: float) -> str:
    return f"{top1} % top-1 and {top5} % top-5 error at one test scale, ILSVRC-2012 validation (table 3)"


for _build, _column, _parameters, _millions, _accuracy in (
    (vgg11, A, 132_863_336, 7_609, _reported(29.6, 10.4)),
    (vgg11_lrn, A_LRN, 132_863_336, None, _reported(29.7, 10.5)),
    (vgg13, B, 133_047_848, 11_308, _reported(28.7, 9.9)),
    (vgg16_1x1, C, 133_638_952, None, _reported(27.3, 8.8)),
    (vgg16, D, 138_357_544, 15_470, _reported(25.6, 8.1)),
    (vgg19, E, 143_667_240, 19_632, _reported(25.5, 8.0)),
    (vgg11_bn, A, 132_868_840, 7_609, ""),
    (vgg13_bn, B, 133_053_736, 11_308, ""),
    (vgg16_bn, D, 138_365_992, 15_470, ""),
    (vgg19_bn, E, 143_678_248, 19_632, ""),
):
    _batch_norm = _build.__name__.endswith("_bn")
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2014,
            paper=PAPER,
            preprocess=Preprocess((224, 224), (256, 256)),
            parameters=_parameters,
            multiply_adds=_millions * 1_000_000 if _millions else None,
            accuracy=_accuracy,
            key_map=same_key if _millions is None else partial(vgg_key, layers=_foreign_layers(_column, _batch_norm)),
        ),
    )
