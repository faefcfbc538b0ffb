"""DnCNN: a chain of convolutions at full resolution that learns the noise of a picture.

K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising", 2016, https://arxiv.org/abs/1608.03981, section III

A convolution with ReLU, convolutions with batch normalisation and ReLU, and a convolution to the noise, which is
subtracted: all 3x3, 64 channels, padded with zeros. `dncnn` has 17 layers, for one level of noise, and sees
17 * 2 + 1 = 35 pixels; `dncnn_blind` has 20, for a range of levels (section III-D).

Convolutions before a batch normalisation have no bias, which the norm would subtract again: 556,097 parameters for
17 layers where the authors' released networks, which have them, have 557,057; 667,073 against 668,225 for 20.

Pixels keep their scale of [0, 1]: how strong noise is must not depend on the pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import ConvolutionUnit, Reach, initialise_for, reach
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import PixelHead, PixelNetwork
from neocog.options import check, option

__all__ = ["BlindOptions", "Options", "dncnn"]


FIRST_NOISE = 0.1
"""Share of He's initial weights that the last layer gets: with all of them the first answers are ten times as far off as
the noise itself, and hundreds of steps pass until they are as good as none."""


@dataclass(frozen=True)
class Options:
    """How large the network is.

    Attributes:
        depth: layers with weights; the paper's is 17 for one level of noise.
        width: channels of every layer but the last.
    """

    depth: int = option(17, "layers with weights", low=3)
    width: int = option(64, "channels of every layer but the last", low=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class BlindOptions(Options):
    """How large the network is; the paper's has 20 layers where the level of noise is not known."""

    depth: int = option(20, "layers with weights", low=3)


class Noise(PixelHead):
    """The last convolution: the noise of every pixel.

    Args:
        tap: the last stage.
        width: its channels.
        channels: of the images.
    """

    def __init__(self, tap: str, width: int, channels: int) -> None:
        super().__init__()
        self.taps = (tap,)
        self.conv = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b c h w"]:
        """The noise, at the images' own size."""
        noise: Tensor = self.conv(maps[self.taps[0]])
        return noise

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """That of the noise."""
        return reach(self.conv, reaches[self.taps[0]], side)


def dncnn(spec: ModelSpec) -> Network:
    """A stage for each layer but the last, which is the head."""
    options: Options = spec.options
    stages: dict[str, nn.Module] = {"layer1": nn.Sequential(nn.Conv2d(spec.in_channels, options.width, 3, padding=1), nn.ReLU())}
    for number in range(2, options.depth):
        stages[f"layer{number}"] = ConvolutionUnit(options.width, options.width, activation=nn.ReLU(inplace=True))
    head = Noise(f"layer{options.depth - 1}", options.width, spec.num_classes)
    network = PixelNetwork(spec, stages, head, channels=[options.width] * len(stages))
    network.keeps_scale = True
    initialise_for(network, "relu")
    with torch.no_grad():
        head.conv.weight.mul_(FIRST_NOISE)
    return network


for _name, _options, _parameters, _accuracy in (
    ("dncnn", Options, 556_097, "31.73, 29.23 and 26.23 dB PSNR on BSD68 at noise of 15, 25 and 50 of 255 (table II)"),
    ("dncnn_blind", BlindOptions, 667_073, "31.61, 29.16 and 26.23 dB PSNR on BSD68 at noise of 15, 25 and 50 of 255 (table II)"),
):
    MODELS.add_named(
        Entry(
            name=_name,
            build=dncnn,
            year=2016,
            paper="K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang, Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image "
            "Denoising, 2016, https://arxiv.org/abs/1608.03981",
            preprocess=Preprocess((40, 40), (40, 40), channels=1, mean=(0.0,), std=(1.0,)),
            parameters=_parameters,
            accuracy=_accuracy,
            tasks=("denoise",),
            Options=_options,
            min_size=1,
            channels=(1, 3, 4),
            classes=1,
        ),
    )
