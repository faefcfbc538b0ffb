import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from neocog.layers import ConvolutionUnit, Reach, Residual, ZeroPadShortcut, basic_block, bottleneck, plain_block, zero_pad_shortcut


def downsample(channels, out, stride):
    return nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))


def same(ours, theirs, images):
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    return torch.equal(ours(images.clone()), theirs(images.clone()))


def test_basic_block_equals_torchvisions():
    images = torch.randn(2, 8, 9, 9)
    assert same(basic_block(8, 8, 1), BasicBlock(8, 8), images)
    assert same(basic_block(8, 16, 2), BasicBlock(8, 16, 2, downsample(8, 16, 2)), images)


def test_bottleneck_equals_torchvisions():
    images = torch.randn(2, 8, 9, 9)
    assert same(bottleneck(8, 2, 1), Bottleneck(8, 2), images)
    assert same(bottleneck(8, 4, 2), Bottleneck(8, 4, 2, downsample(8, 16, 2)), images)


def test_wide_and_grouped_bottlenecks_equal_torchvisions():
    images = torch.randn(2, 16, 9, 9)
    assert same(bottleneck(16, 8, 1, expansion=2), Bottleneck(16, 4, base_width=128), images)
    theirs = Bottleneck(16, 64, 2, downsample(16, 256, 2), groups=32, base_width=4)
    assert same(bottleneck(16, 128, 2, expansion=2, groups=32), theirs, images)


def test_a_bottleneck_that_strides_first_equals_torchvisions_with_the_strides_exchanged():
    images = torch.randn(2, 8, 9, 9)
    theirs = Bottleneck(8, 4, 2, downsample(8, 16, 2))
    theirs.conv1.stride, theirs.conv2.stride = (2, 2), (1, 1)
    assert same(bottleneck(8, 4, 2, first_strides=True), theirs, images)
    assert bottleneck(8, 4, 2, first_strides=True).reach(Reach(), 32) == Reach(2, 5, 5, -2, -2)
    assert bottleneck(8, 4, 2).reach(Reach(), 32) == Reach(2, 3, 3, -1, -1)


def test_a_plain_block_is_the_body_of_a_basic_block_without_shortcut():
    images = torch.randn(2, 8, 9, 9)
    block = basic_block(8, 16, 2)
    plain = plain_block(8, 16, 2)
    plain.load_state_dict(block.body.state_dict())
    assert torch.equal(plain(images), block.body(images).relu())


def test_the_input_is_not_changed_in_place():
    images = torch.randn(1, 4, 5, 5)
    before = images.clone()
    basic_block(4, 4, 1)(images)
    basic_block(4, 8, 2, zero_pad_shortcut)(images)
    plain_block(4, 4, 1)(images)
    assert torch.equal(images, before)


def test_the_zero_pad_shortcut_drops_pixels_and_adds_zeros_on_both_sides():
    images = torch.arange(2 * 5 * 5, dtype=torch.float32).reshape(1, 2, 5, 5)
    out = ZeroPadShortcut(2, 5, 2)(images)
    assert out.shape == (1, 5, 3, 3)
    assert torch.equal(out[:, 1:3], images[:, :, [0, 2, 4]][..., [0, 2, 4]])
    assert not out[:, [0, 3, 4]].any()


def test_the_zero_pad_shortcut_keeps_the_memory_layout():
    images = torch.randn(2, 4, 6, 6).to(memory_format=torch.channels_last)
    assert ZeroPadShortcut(4, 8, 2)(images).is_contiguous(memory_format=torch.channels_last)


def test_where_shapes_agree_the_shortcut_is_the_identity():
    assert isinstance(zero_pad_shortcut(8, 8, 1), nn.Identity)
    assert list(basic_block(8, 16, 2, zero_pad_shortcut).shortcut.parameters()) == []


def test_the_reach_is_that_of_the_wider_branch():
    assert basic_block(4, 4, 2).reach(Reach(), 32) == Reach(2, 7, 7, -3, -3)
    assert basic_block(4, 8, 2, zero_pad_shortcut).reach(Reach(2, 3, 3), 32) == Reach(4, 3 + 4 + 8, 3 + 4 + 8, -6, -6)
    wide_shortcut = Residual(ConvolutionUnit(1, 1, 1), ConvolutionUnit(1, 1, 7))
    assert wide_shortcut.reach(Reach(), 32) == Reach(1, 7, 7, -3, -3)
