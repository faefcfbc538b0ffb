"""AlexNet: torchvision's, and a second implementation of the paper's form in which each card does its half by itself.

Convolutions are products with the matrix of all windows, pooling and response normalisation the maximum and the
sum over sliding views. There is no dropout.
"""

from functools import partial

import torch
import torchvision
from torch import nn
from torch.nn import functional

from references.reference import Reference

SHAPES = ((96, 3, 11), (256, 48, 5), (384, 256, 3), (384, 192, 3), (256, 192, 3))
"""maps, maps that each of them sees, side of the window"""
DENSE = ((4096, 9216), (4096, 4096), (1000, 4096))


def correlate(maps, filters, offsets, step, border):
    side = filters.shape[-1]
    windows = functional.unfold(maps, side, padding=border, stride=step)
    height, width = ((length + 2 * border - side) // step + 1 for length in maps.shape[2:])
    return (filters.flatten(1) @ windows + offsets[:, None]).unflatten(2, (height, width)).clamp(min=0)


def on_two_cards(maps, filters, offsets, border):
    halves = zip(maps.chunk(2, 1), filters.chunk(2), offsets.chunk(2), strict=True)
    return torch.cat([correlate(*half, 1, border) for half in halves], dim=1)


def respond(maps):
    """b = a / (2 + 0.0001 * sum of a² over five adjacent maps)^0.75"""
    energy = functional.pad(maps**2, (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(-1)
    return maps / torch.exp(0.75 * torch.log(2 + 0.0001 * energy))


def pool(maps):
    return maps.unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(-1, -2))


class TwoCards(nn.Module):
    def __init__(self):
        super().__init__()
        self.filters = nn.ParameterList(torch.zeros(maps, seen, side, side) for maps, seen, side in SHAPES)
        self.offsets = nn.ParameterList(torch.zeros(maps) for maps, _, _ in SHAPES)
        self.matrices = nn.ParameterList(torch.zeros(shape) for shape in DENSE)
        self.thresholds = nn.ParameterList(torch.zeros(units) for units, _ in DENSE)

    def forward(self, images):
        f, o = self.filters, self.offsets
        maps = pool(respond(correlate(images, f[0], o[0], 4, 0)))
        maps = pool(respond(on_two_cards(maps, f[1], o[1], 2)))
        maps = correlate(maps, f[2], o[2], 1, 1)
        maps = on_two_cards(maps, f[3], o[3], 1)
        maps = pool(on_two_cards(maps, f[4], o[4], 1))
        units = maps.reshape(len(maps), -1)
        for matrix, threshold in zip(self.matrices[:2], self.thresholds[:2], strict=True):
            units = (units @ matrix.T + threshold).clamp(min=0)
        return units @ self.matrices[2].T + self.thresholds[2]


def two_cards_key(key):
    kind, _, number = key.partition(".")
    tensor = "weight" if kind in ("filters", "matrices") else "bias"
    layer = int(number) + 1
    return f"stages.conv{layer}.conv.{tensor}" if kind in ("filters", "offsets") else f"head.fc{layer}.{tensor}"


REFERENCES = {
    "alexnet": Reference("torchvision", partial(torchvision.models.alexnet, weights=None)),
    "alexnet_2012": Reference("second implementation", TwoCards, two_cards_key),
}
