"""ZFNet: a second implementation after figure 3.

The incomplete windows of pooling are filled up with values that never are a maximum, and the normalisation is
torch's, which divides alpha by the five maps of its window. There is no dropout.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from references.reference import Reference

WEIGHTS = {
    "layer1": (96, 3, 7, 7),
    "layer2": (256, 96, 5, 5),
    "layer3": (384, 256, 3, 3),
    "layer4": (384, 384, 3, 3),
    "layer5": (256, 384, 3, 3),
    "layer6": (4096, 6 * 6 * 256),
    "layer7": (4096, 4096),
    "layer8": (1000, 4096),
}


def pool(maps):
    missing = [(length - 3) % 2 for length in maps.shape[2:]]
    return functional.max_pool2d(functional.pad(maps, (0, missing[1], 0, missing[0]), value=-math.inf), 3, 2)


def contrast(maps):
    return functional.local_response_norm(maps, 5, alpha=5e-4, beta=0.75, k=2.0)


class Figure3(nn.Module):
    def __init__(self):
        super().__init__()
        for name, shape in WEIGHTS.items():
            layer = nn.Module()
            layer.w, layer.b = nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape[0]))
            self.add_module(name, layer)

    def forward(self, images):
        maps = contrast(pool(self.convolve("layer1", functional.pad(images, (1, 1, 1, 1)), stride=2)))
        maps = contrast(pool(self.convolve("layer2", maps, stride=2)))
        for name in ("layer3", "layer4", "layer5"):
            maps = self.convolve(name, maps, padding="same")
        units = pool(maps).flatten(1)
        for name in ("layer6", "layer7"):
            units = functional.relu(self.multiply(name, units))
        return self.multiply("layer8", units)

    def convolve(self, name, maps, **how):
        layer = self.get_submodule(name)
        return functional.relu(functional.conv2d(maps, layer.w, layer.b, **how))

    def multiply(self, name, units):
        layer = self.get_submodule(name)
        return torch.addmm(layer.b, units, layer.w.T)


def figure_key(key):
    layer, tensor = key.removeprefix("layer").split(".")
    number, kind = int(layer), {"w": "weight", "b": "bias"}[tensor]
    return f"stages.conv{number}.conv.{kind}" if number <= 5 else f"head.fc{number - 5}.{kind}"


REFERENCES = {"zfnet": Reference("second implementation", Figure3, figure_key)}
