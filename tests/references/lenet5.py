"""LeNet-5 in the form of today's textbooks: as one list of layers, its convolutions as matrix products."""

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

OURS = ("stages.c1.conv", "stages.c3.conv", "head.c5", "head.f6", "head.fc")
SHAPES = ((6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84))


class SecondLenet5(nn.Module):
    """All weights in one list, all biases in another."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.empty(shape) for shape in SHAPES)
        self.offsets = nn.ParameterList(torch.empty(shape[0]) for shape in SHAPES)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for number, padding in ((0, 2), (1, 0)):
            maps = convolve(maps, self.weights[number], self.offsets[number], padding=padding).clamp(min=0)
            maps = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax(dim=(3, 5))
        units = maps.flatten(1)
        for number in (2, 3):
            units = (units @ self.weights[number].T + self.offsets[number]).clamp(min=0)
        return units @ self.weights[4].T + self.offsets[4]


def key(name: str) -> str:
    kind, _, number = name.partition(".")
    return f"{OURS[int(number)]}.{'weight' if kind == 'weights' else 'bias'}"


REFERENCES = {"lenet5": Reference("second implementation", SecondLenet5, key)}
