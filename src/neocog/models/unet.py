"""U-Net: a path that contracts and one that expands again, joined at every resolution.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
https://arxiv.org/abs/1505.04597

The common form of today: convolutions padded with zeros and followed by batch normalisation, so that the answer is as
large as the image; no dropout. The paper's own form is `unet_2015`. 31,036,546 parameters at the paper's 64 base
channels, one channel and two classes: those of the paper's form without the biases of its 3x3 convolutions, which are
5,888, and with two of batch normalisation for each.

Images of any size are taken: poolings keep what is left over at the right and at the bottom, and the expanding path
cuts it away again.

The contracting path may be any network for classification whose maps have strides of powers of two (`encoder`). Each
expanding step then has as many channels as the map that it joins; where the encoder has no map, as ResNet at full
resolution, it joins none and has `base`.

Built for denoising it learns the noise, which is subtracted from the image (as DnCNN does).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import Expanding, Reach, Upsampling, double_convolution, fit_to, initialise_for, reach
from neocog.models.backbone import Backbone, backbone
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network, stage_info_of
from neocog.models.pixelwise import PixelHead, PixelNetwork
from neocog.options import check, option

__all__ = ["PAPER", "Expansion", "Options", "contracting_stages", "encoder_of", "two_paths", "unet"]

PAPER = (
    "O. Ronneberger, P. Fischer, T. Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015, "
    "https://arxiv.org/abs/1505.04597"
)


@dataclass(frozen=True)
class Options:
    """What the two paths are made of.

    Attributes:
        base: channels at full resolution; doubled at every halving.
        depth: how often the maps are halved.
        encoder: a network for classification in place of the contracting path; `depth` is then its own.
        upsampling: how the expanding path enlarges.
    """

    base: int = option(64, "channels at full resolution, doubled at every halving", low=1)
    depth: int = option(4, "how often the maps are halved", low=1, high=8)
    encoder: str | None = option(None, "network for classification in place of the contracting path")
    upsampling: Upsampling = option("transposed", "how maps are enlarged: by a transposed convolution, or by copying pixels before one")

    def __post_init__(self) -> None:
        check(self)


class Expansion(PixelHead):
    """The expanding path, and a 1x1 convolution to the answer.

    Args:
        encoder: the contracting path.
        base: channels of a step that joins no map.
        outputs: classes, or channels of the restored image.
        upsampling: how maps are enlarged.
        skips: whether the encoder's maps are joined; else only the deepest is seen.
    """

    def __init__(self, encoder: Backbone, base: int, outputs: int, upsampling: Upsampling, *, skips: bool = True) -> None:
        super().__init__()
        self.steps = nn.ModuleList()
        self.joins: list[str | None] = []
        stride, channels = encoder.deepest.stride, encoder.deepest.channels
        while stride > 1:
            stride //= 2
            info = encoder.at_stride(stride)
            width = base if info is None else info.channels
            self.steps.append(Expanding(channels, width if info is not None and skips else 0, width, upsampling))
            self.joins.append(info.name if info is not None and skips else None)
            channels = width
        self.conv = nn.Conv2d(channels, outputs, 1)
        self.taps = (*(name for name in reversed(self.joins) if name is not None), encoder.deepest.name)

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The answer at full resolution."""
        result = maps[self.taps[-1]]
        for step, name in zip(self.steps, self.joins, strict=True):
            result = step(result, None if name is None else maps[name])
        answer: Tensor = self.conv(result)
        return fit_to(answer, size)

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """Step by step."""
        before = reaches[self.taps[-1]]
        for step, name in zip(self.steps, self.joins, strict=True):
            assert isinstance(step, Expanding)
            before = step.joined(before, None if name is None else reaches[name], side)
        return reach(self.conv, before, side)


def contracting_stages(in_channels: int, base: int, depth: int) -> Backbone:
    """The paper's contracting path with batch normalisation: stage1 at full resolution, each further one at half of it."""
    stages: dict[str, nn.Module] = {"stage1": double_convolution(in_channels, base)}
    widths = [base * 2**number for number in range(depth + 1)]
    for number, (before, width) in enumerate(pairwise(widths), start=2):
        stage = nn.Sequential()
        stage.add_module("pool", nn.MaxPool2d(2, ceil_mode=True))
        for name, unit in double_convolution(before, width).named_children():
            stage.add_module(name, unit)
        stages[f"stage{number}"] = stage
    return Backbone("", stages, stage_info_of(stages, widths, 1), 1)


def encoder_of(spec: ModelSpec) -> Backbone:
    """The contracting path that the options name.

    Raises:
        UsageError: the encoder is no network for classification whose maps have strides of powers of two.
    """
    options: Options = spec.options
    if options.encoder is not None:
        return backbone(options.encoder, spec)
    return contracting_stages(spec.in_channels, options.base, options.depth)


def unet(spec: ModelSpec) -> Network:
    """Both paths, joined at every resolution."""
    return two_paths(spec, skips=True)


def two_paths(spec: ModelSpec, *, skips: bool) -> Network:
    """A contracting and an expanding path.

    Args:
        spec: with `Options`.
        skips: whether the maps of the first are joined to those of the second.
    """
    encoder = encoder_of(spec)
    head = Expansion(encoder, spec.options.base, spec.num_classes, spec.options.upsampling, skips=skips)
    network = PixelNetwork(spec, encoder.stages, head, channels=encoder.channels, least=encoder.least)
    network.backbone = spec.options.encoder
    initialise_for(network.head if spec.options.encoder else network, "relu")
    return network


MODELS.add_named(
    Entry(
        name="unet",
        build=unet,
        year=2015,
        paper=PAPER,
        preprocess=Preprocess((256, 256), (256, 256)),
        parameters=31_036_546,
        tasks=("segment", "denoise"),
        Options=Options,
        min_size=1,
        channels=(1, 3, 4),
        classes=2,
    ),
)
