"""Residual networks for ImageNet: torchvision's, some with a stride or the stem moved; the plain ones a second time."""

from functools import partial

import torchvision
from torch import nn

from references.chain import Chain, chain_key
from references.reference import Reference

WIDTHS = (64, 128, 256, 512)


def strides_first():
    """torchvision's resnet50 with the strides where the paper has them."""
    network = torchvision.models.resnet50(weights=None)
    for layer in (network.layer2, network.layer3, network.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    return network


def small_stem():
    """torchvision's resnet18 with a stem for small pictures."""
    network = torchvision.models.resnet18(weights=None, num_classes=10)
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def plain(pairs):
    return Reference(
        "second implementation",
        partial(Chain, WIDTHS, pairs, first=(7, 2, True), adds=False, classes=1000),
        chain_key(pairs, adds=False),
    )


REFERENCES = {
    **{
        name: Reference("torchvision", partial(torchvision.models.get_model, name, weights=None))
        for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2", "resnext50_32x4d")
    },
    "resnet50_2015": Reference("torchvision", strides_first),
    "resnet18_cifar": Reference("torchvision", small_stem),
    "plain18": plain((2, 2, 2, 2)),
    "plain34": plain((3, 4, 6, 3)),
}
