from functools import partial

import pytest
import torch
from torch import nn
from torchvision.models import efficientnet, mobilenetv2, mobilenetv3

from neocog.layers import InvertedResidual, Reach, SqueezeExcitation


def same(ours, theirs, channels):
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, channels, 7, 7)
    return torch.equal(ours(images.clone()), theirs(images.clone()))


@pytest.mark.parametrize(
    ("channels", "out", "stride", "expansion"), [(8, 8, 1, 6), (8, 12, 1, 6), (8, 8, 2, 6), (8, 4, 1, 1), (8, 8, 1, 1)]
)
def test_equals_the_block_of_torchvisions_mobilenet_v2(channels, out, stride, expansion):
    theirs = mobilenetv2.InvertedResidual(channels, out, stride, expansion)
    assert same(InvertedResidual(channels, expansion * channels, out, stride=stride), theirs, channels)


@pytest.mark.parametrize(("out", "kernel", "stride"), [(8, 3, 1), (8, 5, 2), (16, 5, 1)])
def test_equals_the_block_of_torchvisions_mobilenet_v3(out, kernel, stride):
    row = mobilenetv3.InvertedResidualConfig(8, kernel, 32, out, True, "HS", stride, 1, 1.0)
    theirs = mobilenetv3.InvertedResidual(row, partial(nn.BatchNorm2d))
    excitation = SqueezeExcitation(32, 8, gate=nn.Hardsigmoid())
    ours = InvertedResidual(8, 32, out, kernel=kernel, stride=stride, activation=nn.Hardswish, excitation=excitation)
    assert same(ours, theirs, 8)


@pytest.mark.parametrize(("out", "kernel", "stride"), [(8, 3, 1), (8, 5, 2), (16, 5, 1)])
def test_equals_the_block_of_torchvisions_efficientnet(out, kernel, stride):
    theirs = efficientnet.MBConv(efficientnet.MBConvConfig(6, kernel, stride, 8, out, 1), 0.0, nn.BatchNorm2d)
    excitation = SqueezeExcitation(48, 2, activation=nn.SiLU())
    assert same(InvertedResidual(8, 48, out, kernel=kernel, stride=stride, activation=nn.SiLU, excitation=excitation), theirs, 8)


def test_the_input_is_not_changed_in_place():
    images = torch.randn(1, 4, 5, 5)
    before = images.clone()
    block = InvertedResidual(4, 8, 4)
    assert block.adds_input
    block(images)
    assert torch.equal(images, before)


def test_the_reach_is_that_of_the_depthwise_kernel():
    block = InvertedResidual(4, 8, 4, kernel=5, stride=2, excitation=SqueezeExcitation(8, 2))
    assert block.reach(Reach(2, 3, 3), 32) == Reach(4, 11, 11, -4, -4)
