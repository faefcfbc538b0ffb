"""Residual networks for CIFAR-10, as the paper has them: 6n + 2 layers, shortcuts without parameters (option A).

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015,
https://arxiv.org/abs/1512.03385, section 4.2

The paper does not say where the added channels of zeros go; here they are on both sides, as in
https://github.com/akamaster/pytorch_resnet_cifar10, whose published weights these networks take. Many other
implementations put a 1x1 convolution there (option B), which is another network with more parameters.
Initial weights of the convolutions are He's.
"""

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, basic_block, initialise_convolutions, pooled_classifier, zero_pad_shortcut
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.resnet import PAPER, resnet_key

__all__ = ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]

WIDTHS = (16, 32, 64)


def resnet20(spec: ModelSpec) -> Network:
    """20 layers with weights: n = 3."""
    return _resnet_cifar(spec, 20)


def resnet32(spec: ModelSpec) -> Network:
    """32 layers with weights: n = 5."""
    return _resnet_cifar(spec, 32)


def resnet44(spec: ModelSpec) -> Network:
    """44 layers with weights: n = 7."""
    return _resnet_cifar(spec, 44)


def resnet56(spec: ModelSpec) -> Network:
    """56 layers with weights: n = 9."""
    return _resnet_cifar(spec, 56)


def resnet110(spec: ModelSpec) -> Network:
    """110 layers with weights: n = 18."""
    return _resnet_cifar(spec, 110)


def _resnet_cifar(spec: ModelSpec, depth: int) -> Network:
    """Three layers of (depth - 2) / 6 basic blocks each, at strides 1, 2 and 4."""
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, WIDTHS[0], activation=nn.ReLU(inplace=True))}
    channels = WIDTHS[0]
    for number, width in enumerate(WIDTHS, start=1):
        layer = nn.Sequential()
        for index in range((depth - 2) // 6):
            layer.append(basic_block(channels, width, 2 if number > 1 and index == 0 else 1, zero_pad_shortcut))
            channels = width
        stages[f"layer{number}"] = layer
    head = pooled_classifier(channels, spec.num_classes)
    network = Network(stages, head, channels=(WIDTHS[0], *WIDTHS), preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


for _build, _parameters, _weights in (
    (resnet20, 269_722, "resnet20-12fca82f.th"),
    (resnet32, 464_154, "resnet32-d509ac18.th"),
    (resnet44, 658_586, "resnet44-014dd654.th"),
    (resnet56, 853_018, "resnet56-4bfd9763.th"),
    (resnet110, 1_727_962, "resnet110-1d1ed7c2.th"),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2015,
            paper=PAPER,
            preprocess=Preprocess((32, 32), (32, 32)),
            parameters=_parameters,
            min_size=8,
            classes=10,
            weights=(_weights,),
            key_map=resnet_key,
        ),
    )
