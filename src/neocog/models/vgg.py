"""VGG: nothing but 3x3 convolutions, pooling, and three dense layers.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
https://arxiv.org/abs/1409.1556, table 1, column D

What differs from the paper, as in torchvision: initial weights of the convolutions are He's, so that no
shallower network need be trained first, and the last map is averaged to 7x7, so that images of other sizes
than 224 are taken. A stage's map is that of its last convolution; the pooling begins the next stage.
"""

from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.layers import initialise_convolutions, initialise_linears
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["vgg16"]

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
HIDDEN = 4096
POOLED = 7  # side of the last map


class AverageTo(nn.AdaptiveAvgPool2d):
    """Adaptive average pooling that leaves maps of the wanted size alone: on CUDA its gradient is not deterministic."""

    def forward(self, input: Tensor) -> Tensor:
        """Maps "b c h w" to "b c side side"."""
        return input if input.shape[-2:] == (self.output_size, self.output_size) else super().forward(input)


def vgg16(spec: ModelSpec) -> Network:
    """13 convolutions in five stages at strides 1 to 16, and three dense layers."""
    stages = {}
    channels = spec.in_channels
    for number, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=1):
        stage = nn.Sequential()
        if number > 1:
            stage.add_module("pool", nn.MaxPool2d(2))
        for index in range(1, depth + 1):
            stage.add_module(f"conv{index}", nn.Conv2d(channels, width, 3, padding=1))
            stage.add_module(f"activation{index}", nn.ReLU(inplace=True))
            channels = width
        stages[f"stage{number}"] = stage
    network = Network(stages, _head(channels, spec.num_classes), channels=WIDTHS, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    initialise_linears(network)
    return network


def _head(channels: int, num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("pool", nn.MaxPool2d(2))
    head.add_module("average", AverageTo(POOLED))
    head.add_module("flatten", nn.Flatten())
    for number, width in enumerate((channels * POOLED**2, HIDDEN), start=1):
        head.add_module(f"fc{number}", nn.Linear(width, HIDDEN))
        head.add_module(f"activation{number}", nn.ReLU(inplace=True))
        head.add_module(f"dropout{number}", nn.Dropout(0.5))
    head.add_module("fc3", nn.Linear(HIDDEN, num_classes))
    return head


def _foreign_layers() -> dict[str, str]:
    """What torchvision calls them: it counts every convolution, activation and pooling of the features in one row."""
    layers = {"classifier.0": "head.fc1", "classifier.3": "head.fc2", "classifier.6": "head.fc3"}
    position = 0
    for number, depth in enumerate(DEPTHS, start=1):
        for index in range(1, depth + 1):
            layers[f"features.{position}"] = f"stages.stage{number}.conv{index}"
            position += 2
        position += 1
    return layers


FOREIGN_LAYERS = _foreign_layers()


def vgg16_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    return f"{FOREIGN_LAYERS[layer]}.{tensor}" if layer in FOREIGN_LAYERS else key


MODELS.add_named(
    Entry(
        name="vgg16",
        build=vgg16,
        year=2014,
        paper="K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, https://arxiv.org/abs/1409.1556",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=138_357_544,
        weights=("vgg16-397923af.pth",),
        key_map=vgg16_key,
    ),
)
