"""A classification network slid over the picture: it sees a window and labels the pixel in its centre.

D. C. Ciresan, A. Giusti, L. M. Gambardella, J. Schmidhuber, "Deep Neural Networks Segment Neuronal Membranes in Electron
Microscopy Images", NIPS 2012,
https://papers.nips.cc/paper/4741-deep-neural-networks-segment-neuronal-membranes-in-electron-microscopy-images, table 1
(network N4)
C. Farabet, C. Couprie, L. Najman, Y. LeCun, "Learning Hierarchical Features for Scene Labeling", 2013,
https://doi.org/10.1109/TPAMI.2012.231 (the same idea at several scales)

Four convolutions without padding of 48 maps, each followed by a rectifier and 2x2 maxima, 200 hidden units, and the
logits, from a window of 95x95 pixels. At the border the picture is continued by its mirror image.

`sliding = "patches"` is that: every window is cut out and passes through the network. Neighbouring windows share almost
all of their work. `sliding = "dense"` does it once, with the same weights and to the same logits: strides give way to
dilations (`neocog.layers.dilate`), and the hidden units are a convolution over the 3x3 points of the last map, which
they are in a window too. A window takes 121,464,592 multiply-adds at one channel and two classes; in the dense form a
pixel takes 218,896, and the continued border as much.

219,290 parameters at one channel and two classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import Reach, dilate, initialise_for, mirrored, reach
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import PixelHead, PixelNetwork
from neocog.options import check, option

__all__ = ["WINDOW", "Options", "patch_classifier"]

WINDOW = 95  # pixels, the side of what the network sees
KERNELS = (4, 5, 4, 4)
WIDTH = 48
HIDDEN = 200
LAST = 3  # points, the side of the last map of a window
WINDOWS_AT_ONCE = 128


@dataclass(frozen=True)
class Options:
    """How every pixel is answered for.

    Attributes:
        sliding: one pass over the whole picture, or one over every window.
    """

    sliding: Literal["dense", "patches"] = option("dense", "one pass over the picture, or one over the window around every pixel")

    def __post_init__(self) -> None:
        check(self)


class Units(PixelHead):
    """The hidden units over 3x3 points, and the logits.

    Args:
        tap: the last stage.
        outputs: classes.
    """

    def __init__(self, tap: str, outputs: int) -> None:
        super().__init__()
        self.taps = (tap,)
        self.body = nn.Sequential()
        self.body.add_module("hidden", nn.Conv2d(WIDTH, HIDDEN, LAST))
        self.body.add_module("activation", nn.ReLU(inplace=True))
        self.body.add_module("conv", nn.Conv2d(HIDDEN, outputs, 1))

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits of every point that the whole window of which is seen."""
        logits: Tensor = self.body(maps[self.taps[0]])
        return logits

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """That of the logits."""
        return reach(self.body, reaches[self.taps[0]], side)


class SlidingNetwork(PixelNetwork):
    """The network on every window of the picture, some at a time."""

    def answers(self, images: Tensor, auxiliary: Sequence[str]) -> dict[str, Tensor]:
        """The logits of every pixel."""
        batch, _, height, width = images.shape
        windows = surround(images).unfold(2, WINDOW, 1).unfold(3, WINDOW, 1)  # b c h w window window, without a copy
        pixels = torch.arange(batch * height * width, device=images.device)
        logits = []
        for part in pixels.split(WINDOWS_AT_ONCE):
            maps = windows[part // (height * width), :, part // width % height, part % width]
            for stage in self.stages.values():
                maps = stage(maps)
            logits.append(self.head({self.head.taps[0]: maps}, (1, 1)).flatten(1))
        return {"logits": torch.cat(logits).view(batch, height, width, -1).permute(0, 3, 1, 2)}


def patch_classifier(spec: ModelSpec) -> Network:
    """Four stages, which stride in windows and do not over the whole picture."""
    stages: dict[str, nn.Module] = {}
    before = spec.in_channels
    for number, kernel in enumerate(KERNELS, start=1):
        stage = nn.Sequential()
        stage.add_module("conv", nn.Conv2d(before, WIDTH, kernel))
        stage.add_module("activation", nn.ReLU(inplace=True))
        stage.add_module("pool", nn.MaxPool2d(2))
        stages[f"stage{number}"] = stage
        before = WIDTH
    head = Units(f"stage{len(KERNELS)}", spec.num_classes)
    slides = spec.options.sliding == "patches"
    if not slides:
        dilate([*stages.values(), head.body], 1)
    kind = SlidingNetwork if slides else PixelNetwork
    network = kind(spec, stages, head, channels=[WIDTH] * len(stages), surround=surround)
    initialise_for(network, "relu")
    return network


def surround(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
    """The mirrored image, in which every pixel has a whole window around it."""
    return mirrored(images, WINDOW // 2, (images.shape[-2] + WINDOW - 1, images.shape[-1] + WINDOW - 1))


MODELS.add_named(
    Entry(
        name="patch_classifier",
        build=patch_classifier,
        year=2012,
        paper="D. C. Ciresan, A. Giusti, L. M. Gambardella, J. Schmidhuber, Deep Neural Networks Segment Neuronal Membranes in Electron "
        "Microscopy Images, NIPS 2012, "
        "https://papers.nips.cc/paper/4741-deep-neural-networks-segment-neuronal-membranes-in-electron-microscopy-images",
        preprocess=Preprocess((128, 128), (128, 128)),
        parameters=219_290,
        tasks=("segment",),
        Options=Options,
        min_size=1,
        channels=(1, 3, 4),
        classes=2,
    ),
)
