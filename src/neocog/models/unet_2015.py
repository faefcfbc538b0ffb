"""U-Net as in its paper: convolutions without padding, and the image continued by its mirror image.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
https://arxiv.org/abs/1505.04597, figures 1 and 2, section 3

Every convolution takes two rows and columns away, so that the paper's tile of 572x572 pixels is answered for its
middle 388x388. The border that is lacking is mirrored (the overlap-tile strategy): here the network does that itself,
92 pixels on each side and as many more as make every pooling even, so that it answers for the whole image. The
encoder's maps are cropped to the middle before they are appended. No batch normalisation; convolutions have biases;
half of the units are dropped at the end of the contracting path, where the text has it and the authors' network has
two layers of it: after the last two pairs of convolutions. Initial weights are He's.

31,030,658 parameters at one channel and two classes, in 23 convolutional layers, as the paper counts them.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import initialise_for, mirrored, reach, widest
from neocog.layers.reach import Reach
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import PixelHead, PixelNetwork
from neocog.models.unet import PAPER

__all__ = ["unet_2015"]

WIDTHS = (64, 128, 256, 512, 1024)
HALVINGS = len(WIDTHS) - 1
MARGIN = 92  # pixels on each side that a tile loses: (572 - 388) / 2
FACTOR = 2**HALVINGS


class UnpaddedExpansion(PixelHead):
    """The right-hand side of figure 1: up-convolution, cropped copy, two convolutions, four times; then 1x1 to the classes.

    Args:
        outputs: classes, or channels of the restored image.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.taps = tuple(f"stage{number}" for number in range(1, HALVINGS + 2))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in reversed(WIDTHS[:-1]))
        self.convolutions = nn.ModuleList(_two_convolutions(2 * width, width) for width in reversed(WIDTHS[:-1]))
        self.conv = nn.Conv2d(WIDTHS[0], outputs, 1)

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The answer for the image without what was mirrored."""
        result = maps[self.taps[-1]]
        for up, convolutions, name in zip(self.ups, self.convolutions, reversed(self.taps[:-1]), strict=True):
            enlarged = up(result)
            result = convolutions(torch.cat([_middle(maps[name], (enlarged.shape[-2], enlarged.shape[-1])), enlarged], dim=1))
        answer: Tensor = self.conv(result)
        return answer[..., : size[0], : size[1]]

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """Step by step."""
        before = reaches[self.taps[-1]]
        for up, convolutions, name in zip(self.ups, self.convolutions, reversed(self.taps[:-1]), strict=True):
            before = reach(convolutions, widest(reach(up, before, side), reaches[name]), side)
        return reach(self.conv, before, side)


def unet_2015(spec: ModelSpec) -> Network:
    """Five stages at strides 1 to 16, and the expanding path."""
    stages: dict[str, nn.Module] = {}
    before = spec.in_channels
    for number, width in enumerate(WIDTHS, start=1):
        stage = _two_convolutions(before, width, pools=number > 1)
        if number >= HALVINGS:
            stage.add_module("dropout", nn.Dropout(0.5))
        stages[f"stage{number}"] = stage
        before = width
    network = PixelNetwork(spec, stages, UnpaddedExpansion(spec.num_classes), channels=WIDTHS, surround=surround)
    initialise_for(network, "relu")
    return network


def surround(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
    """The mirrored image, of the least size that the network answers for all of it: 16 n + 188 where that gives 16 n + 4."""
    height, width = (-(-(side - 4) // FACTOR) * FACTOR + 4 + 2 * MARGIN for side in images.shape[-2:])
    return mirrored(images, MARGIN, (height, width))


def _two_convolutions(in_channels: int, out_channels: int, *, pools: bool = False) -> nn.Sequential:
    layers = nn.Sequential()
    if pools:
        layers.add_module("pool", nn.MaxPool2d(2))
    for number, before in enumerate((in_channels, out_channels), start=1):
        layers.add_module(f"conv{number}", nn.Conv2d(before, out_channels, 3))
        layers.add_module(f"activation{number}", nn.ReLU(inplace=True))
    return layers


def _middle(maps: Tensor, size: Size) -> Tensor:
    top, left = (maps.shape[-2] - size[0]) // 2, (maps.shape[-1] - size[1]) // 2
    return maps[..., top : top + size[0], left : left + size[1]]


MODELS.add_named(
    Entry(
        name="unet_2015",
        build=unet_2015,
        year=2015,
        paper=PAPER,
        preprocess=Preprocess((388, 388), (388, 388)),
        parameters=31_030_658,
        accuracy="92.0 % IoU on PhC-U373, 77.6 % on DIC-HeLa, ISBI cell tracking challenge 2015 (table 2)",
        tasks=("segment", "denoise"),
        min_size=1,
        channels=(1, 3, 4),
        classes=2,
    ),
)
