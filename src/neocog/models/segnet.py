"""SegNet: VGG-16's convolutions, and the same in reverse, whose unpoolings put values back to where the maxima were.

V. Badrinarayanan, A. Kendall, R. Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
Segmentation", 2015, https://arxiv.org/abs/1511.00561, section 3

13 convolutions of the encoder and 13 of the decoder, all 3x3 with batch normalisation and ReLU, but for the decoder's
last, which gives the logits. 29,441,419 parameters at 11 classes; with the biases that the released network has before its
normalisations, which would subtract them again, 29,449,355: the paper counts 29.45 M.

A stage's map is that of its last convolution; the pooling begins the next stage. The decoder finds the maxima's places
again from the stages' maps, which training keeps anyway: they are the encoder's. Input is the image as other networks
see it; the paper also normalises its contrast locally.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import ConvolutionUnit, Reach, initialise_convolutions, reach, unpool
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import PixelHead, PixelNetwork

__all__ = ["segnet"]

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
"""Channels and convolutions of each stage: column D of VGG's table 1."""
LEAST = 32  # pixels: five poolings leave one


class Unpooling(PixelHead):
    """The decoder: unpool and convolve, from the coarsest map to full resolution, and on to the logits.

    Args:
        outputs: classes.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.taps = tuple(f"stage{number}" for number in range(1, len(WIDTHS) + 1))
        self.stages = nn.ModuleDict()
        for number in range(len(WIDTHS), 0, -1):
            width, depth = WIDTHS[number - 1], DEPTHS[number - 1]
            after = WIDTHS[number - 2] if number > 1 else None
            stage = nn.Sequential()
            for index in range(1, depth + (after is not None)):
                stage.add_module(f"unit{index}", _unit(width, after if index == depth and after is not None else width))
            self.stages[f"stage{number}"] = stage
        self.conv = nn.Conv2d(WIDTHS[0], outputs, 3, padding=1)

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution."""
        result = functional.max_pool2d(maps[self.taps[-1]], 2)
        for name, stage in self.stages.items():
            before = maps[name]
            with torch.no_grad():
                switches = functional.max_pool2d(before, 2, return_indices=True)[1]
            result = stage(unpool(result, switches, (before.shape[-2], before.shape[-1])))
        logits: Tensor = self.conv(result)
        return logits

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """Stage by stage: a value sees at its place what it saw before it was put there."""
        before = reaches[self.taps[-1]]
        before = before._replace(stride=2 * before.stride, height=before.height + before.stride, width=before.width + before.stride)
        for stage in self.stages.values():
            before = reach(stage, before._replace(stride=before.stride // 2), side)
        return reach(self.conv, before, side)


def segnet(spec: ModelSpec) -> Network:
    """Five stages at strides 1 to 16, pooled once more, and the decoder."""
    stages: dict[str, nn.Module] = {}
    before = spec.in_channels
    for number, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=1):
        stage = nn.Sequential()
        if number > 1:
            stage.add_module("pool", nn.MaxPool2d(2))
        for index in range(1, depth + 1):
            stage.add_module(f"unit{index}", _unit(before, width))
            before = width
        stages[f"stage{number}"] = stage
    head = Unpooling(spec.num_classes)
    network = PixelNetwork(spec, stages, head, channels=WIDTHS, least=LEAST)
    initialise_convolutions(network.stages)
    initialise_convolutions(head.stages)
    return network


def _unit(in_channels: int, out_channels: int) -> ConvolutionUnit:
    return ConvolutionUnit(in_channels, out_channels, activation=nn.ReLU(inplace=True))


MODELS.add_named(
    Entry(
        name="segnet",
        build=segnet,
        year=2015,
        paper="V. Badrinarayanan, A. Kendall, R. Cipolla, SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image "
        "Segmentation, 2015, https://arxiv.org/abs/1511.00561",
        preprocess=Preprocess((360, 480), (360, 480)),
        parameters=29_441_419,
        accuracy="60.1 % mean IoU on the 11 classes of CamVid, trained on 3,433 pictures (table 2)",
        tasks=("segment",),
        min_size=1,
        classes=11,
    ),
)
