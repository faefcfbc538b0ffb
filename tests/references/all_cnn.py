"""All-CNN-C from the paper's table, its convolutions as matrix products."""

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

# Kernel, maps, stride, border; the paper's column from top to bottom.
ROWS = (
    (3, 96, 1, 1),
    (3, 96, 1, 1),
    (3, 96, 2, 1),
    (3, 192, 1, 1),
    (3, 192, 1, 1),
    (3, 192, 2, 1),
    (3, 192, 1, 0),
    (1, 192, 1, 0),
    (1, 10, 1, 0),
)
PLACES = ("stages.block1", "stages.block1", *["stages.block2"] * 3, *["stages.block3"] * 3, "head")


class SecondAllCnn(nn.Module):
    """Nine convolutions, each with relu; dropout is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.weights, self.offsets = nn.ParameterList(), nn.ParameterList()
        maps = 3
        for kernel, width, _, _ in ROWS:
            self.weights.append(torch.empty(width, maps, kernel, kernel))
            self.offsets.append(torch.empty(width))
            maps = width

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for (_, _, stride, border), weight, offset in zip(ROWS, self.weights, self.offsets, strict=True):
            maps = convolve(maps, weight, offset, stride=stride, padding=border).clamp(min=0)
        assert maps.shape[2:] == (6, 6)
        return maps.mean(dim=(2, 3))


def key(name: str) -> str:
    kind, _, number = name.partition(".")
    return f"{PLACES[int(number)]}.conv{int(number) + 1}.{'weight' if kind == 'weights' else 'bias'}"


REFERENCES = {"all_cnn_c": Reference("second implementation", SecondAllCnn, key)}
