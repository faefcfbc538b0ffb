"""Residual and plain networks for CIFAR-10, as the paper has them: 6n + 2 layers, shortcuts without parameters (option A).

K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015,
https://arxiv.org/abs/1512.03385, section 4.2

A plain network has every weight of the residual one and none of the shortcuts: their difference in training is the
paper's argument. The paper does not say where a shortcut's added channels of zeros go; here they are on both sides, as
in https://github.com/akamaster/pytorch_resnet_cifar10, whose published weights these networks take. Many other
implementations put a 1x1 convolution there (option B), which is another network with more parameters.
Initial weights of the convolutions are He's.
"""

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, basic_block, initialise_convolutions, plain_block, pooled_classifier, zero_pad_shortcut
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.resnet import PAPER, Block, resnet_key

__all__ = [
    "plain20",
    "plain32",
    "plain44",
    "plain56",
    "plain110",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
]

WIDTHS = (16, 32, 64)


def resnet20(spec: ModelSpec) -> Network:
    """20 layers with weights: n = 3."""
    return _network(spec, _residual_block, 20)


def resnet32(spec: ModelSpec) -> Network:
    """32 layers with weights: n = 5."""
    return _network(spec, _residual_block, 32)


def resnet44(spec: ModelSpec) -> Network:
    """44 layers with weights: n = 7."""
    return _network(spec, _residual_block, 44)


def resnet56(spec: ModelSpec) -> Network:
    """56 layers with weights: n = 9."""
    return _network(spec, _residual_block, 56)


def resnet110(spec: ModelSpec) -> Network:
    """110 layers with weights: n = 18."""
    return _network(spec, _residual_block, 110)


def plain20(spec: ModelSpec) -> Network:
    """resnet20 without shortcuts."""
    return _network(spec, plain_block, 20)


def plain32(spec: ModelSpec) -> Network:
    """resnet32 without shortcuts."""
    return _network(spec, plain_block, 32)


def plain44(spec: ModelSpec) -> Network:
    """resnet44 without shortcuts."""
    return _network(spec, plain_block, 44)


def plain56(spec: ModelSpec) -> Network:
    """resnet56 without shortcuts."""
    return _network(spec, plain_block, 56)


def plain110(spec: ModelSpec) -> Network:
    """resnet110 without shortcuts."""
    return _network(spec, plain_block, 110)


def _residual_block(in_channels: int, width: int, stride: int) -> nn.Module:
    return basic_block(in_channels, width, stride, zero_pad_shortcut)


def _network(spec: ModelSpec, block: Block, depth: int) -> Network:
    """Three layers of (depth - 2) / 6 blocks each, at strides 1, 2 and 4."""
    stages: dict[str, nn.Module] = {"stem": ConvolutionUnit(spec.in_channels, WIDTHS[0], activation=nn.ReLU(inplace=True))}
    channels = WIDTHS[0]
    for number, width in enumerate(WIDTHS, start=1):
        layer = nn.Sequential()
        for index in range((depth - 2) // 6):
            layer.append(block(channels, width, 2 if number > 1 and index == 0 else 1))
            channels = width
        stages[f"layer{number}"] = layer
    head = pooled_classifier(channels, spec.num_classes)
    network = Network(stages, head, channels=(WIDTHS[0], *WIDTHS), preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


TEST_ERROR = "test error on CIFAR-10"

for _parameters, *_forms in (
    (269_722, (resnet20, f"8.75 % {TEST_ERROR} (table 6)"), (plain20, "")),
    (464_154, (resnet32, f"7.51 % {TEST_ERROR} (table 6)"), (plain32, "")),
    (658_586, (resnet44, f"7.17 % {TEST_ERROR} (table 6)"), (plain44, "")),
    (853_018, (resnet56, f"6.97 % {TEST_ERROR} (table 6)"), (plain56, "")),
    (1_727_962, (resnet110, f"6.43 % {TEST_ERROR}, best of five (table 6)"), (plain110, f"more than 60 % {TEST_ERROR} (figure 6)")),
):
    for _build, _accuracy in _forms:
        MODELS.add_named(
            Entry(
                name=_build.__name__,
                build=_build,
                year=2015,
                paper=PAPER,
                preprocess=Preprocess((32, 32), (32, 32)),
                parameters=_parameters,
                accuracy=_accuracy,
                min_size=8,
                classes=10,
                key_map=resnet_key,
            ),
        )
