"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

F. N. Iandola, S. Han, M. W. Moskewicz, K. Ashraf, W. J. Dally, K. Keutzer, "SqueezeNet: AlexNet-level accuracy with
50x fewer parameters and <0.5MB model size", 2016, https://arxiv.org/abs/1602.07360, table 1 and section 3

`squeezenet1_0` is the paper's network; table 1's map sizes of 111, 55, 27 and 13 are those of images of 227 pixels,
with 224 they are 109, 54, 27 and 13. `squeezenet1_1` is the authors' second version
(https://github.com/forresti/SqueezeNet): a smaller first convolution and earlier pooling, 2.4 times less work.
Forms and initial weights are torchvision's. A fire module applies relu once, to both of its expansions.
"""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.layers import Reach, initialise_for, reach, widest
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["Fire", "squeezenet1_0", "squeezenet1_1"]

PAPER = (
    "F. N. Iandola, S. Han, M. W. Moskewicz, K. Ashraf, W. J. Dally, K. Keutzer, SqueezeNet: AlexNet-level accuracy with "
    "50x fewer parameters and <0.5MB model size, 2016, https://arxiv.org/abs/1602.07360"
)

FIRES = {
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
    "fire8": (64, 256),
    "fire9": (64, 256),
}
"""Channels of the squeezing convolution, and of each expanding one."""

LAYOUTS = {
    "1_0": (("fire2", "fire3", "fire4"), ("fire5", "fire6", "fire7", "fire8"), ("fire9",)),
    "1_1": (("fire2", "fire3"), ("fire4", "fire5"), ("fire6", "fire7", "fire8", "fire9")),
}
"""Which modules stand behind each of the three poolings."""
STEMS = {"1_0": (96, 7), "1_1": (64, 3)}
"""Channels and kernel of the first convolution."""


class Fire(nn.Module):
    """1x1 convolution to few channels, then 1x1 and 3x3 ones side by side; relu after each (figure 1).

    Args:
        in_channels: channels of the input.
        squeezed: channels of the first convolution.
        expanded: channels of each of the other two; the output has twice as many.
    """

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """The maps of both expansions."""
        squeezed = functional.relu(self.squeeze(maps), inplace=True)
        return functional.relu(torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1), inplace=True)

    def reach(self, before: Reach, side: int) -> Reach:
        """As the wider expansion: see `neocog.layers.reach`."""
        squeezed = reach(self.squeeze, before, side)
        return widest(reach(self.expand1x1, squeezed, side), reach(self.expand3x3, squeezed, side))


def squeezenet1_0(spec: ModelSpec) -> Network:
    """Table 1: a 7x7 convolution, eight fire modules, and a 1x1 convolution to the classes."""
    return _squeezenet(spec, "1_0")


def squeezenet1_1(spec: ModelSpec) -> Network:
    """Version 1.1: a 3x3 convolution with fewer channels, and poolings behind it, fire3 and fire5."""
    return _squeezenet(spec, "1_1")


def _squeezenet(spec: ModelSpec, version: str) -> Network:
    channels, kernel = STEMS[version]
    stages = {"conv1": nn.Sequential()}
    stages["conv1"].add_module("conv", nn.Conv2d(spec.in_channels, channels, kernel, stride=2))
    stages["conv1"].add_module("activation", nn.ReLU(inplace=True))
    widths = [channels]
    for number, names in enumerate(LAYOUTS[version], start=1):
        stage = stages[f"stage{number}"] = nn.Sequential()
        stage.add_module("pool", nn.MaxPool2d(3, stride=2, ceil_mode=True))
        for name in names:
            squeezed, expanded = FIRES[name]
            stage.add_module(name, Fire(channels, squeezed, expanded))
            channels = 2 * expanded
        widths.append(channels)
    conv10 = nn.Conv2d(channels, spec.num_classes, 1)
    network = Network(stages, _head(conv10), channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_for(network.stages, "relu")
    nn.init.normal_(conv10.weight, 0.0, 0.01)
    nn.init.zeros_(conv10.bias)  # type: ignore[arg-type]
    return network


def _head(conv10: nn.Conv2d) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.5))
    head.add_module("conv10", conv10)
    head.add_module("activation", nn.ReLU(inplace=True))
    head.add_module("pool", nn.AdaptiveAvgPool2d(1))
    head.add_module("flatten", nn.Flatten())
    return head


def _foreign_layers(version: str) -> dict[str, str]:
    """What torchvision calls them: it counts convolution, activation, poolings and modules in one row."""
    layers = {"features.0": "stages.conv1.conv", "classifier.1": "head.conv10"}
    pooling = 2
    for number, names in enumerate(LAYOUTS[version], start=1):
        for position, name in enumerate(names, start=pooling + 1):
            for part in ("squeeze", "expand1x1", "expand3x3"):
                layers[f"features.{position}.{part}"] = f"stages.stage{number}.{name}.{part}"
        pooling += len(names) + 1
    return layers


def squeezenet_key(layers: Mapping[str, str], key: str) -> str:
    """Our key of a tensor from torchvision's, by a version's table of layers; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{layers[layer]}.{tensor}" if layer in layers else key


for _build, _version, _parameters, _multiply_adds, _min_size, _accuracy in (
    (squeezenet1_0, "1_0", 1_248_424, 819_000_000, 21, "57.5 % top-1, 80.3 % top-5 accuracy, ImageNet (table 2)"),
    (squeezenet1_1, "1_1", 1_235_496, 349_000_000, 17, ""),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2016,
            paper=PAPER,
            preprocess=Preprocess((224, 224), (256, 256)),
            parameters=_parameters,
            multiply_adds=_multiply_adds,
            accuracy=_accuracy,
            min_size=_min_size,
            key_map=partial(squeezenet_key, _foreign_layers(_version)),
        ),
    )
