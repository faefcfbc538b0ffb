"""VGG: torchvision's where it has the column, else a second implementation that reads table 1's words. It has no dropout."""

from functools import partial

import torch
import torchvision
from torch import nn
from torch.nn import functional

from references.reference import Reference

FOREIGN = ("vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn")

A_LRN = """
conv3-64 LRN
conv3-128
conv3-256 conv3-256
conv3-512 conv3-512
conv3-512 conv3-512
"""
C = """
conv3-64 conv3-64
conv3-128 conv3-128
conv3-256 conv3-256 conv1-256
conv3-512 conv3-512 conv1-512
conv3-512 conv3-512 conv1-512
"""


class Table(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.rows = [line.split() for line in table.split("\n") if line]
        self.tensors = nn.ParameterDict()
        seen = 3
        for row, words in enumerate(self.rows):
            for column, word in enumerate(words):
                if word != "LRN":
                    side, channels = (int(number) for number in word.removeprefix("conv").split("-"))
                    self.allot(f"{row} {column}", channels, seen, side, side)
                    seen = channels
        for number, shape in enumerate(((4096, 512 * 49), (4096, 4096), (1000, 4096))):
            self.allot(f"FC {number}", *shape)

    def allot(self, name, *shape):
        self.tensors[f"{name} weight"] = nn.Parameter(torch.zeros(shape))
        self.tensors[f"{name} bias"] = nn.Parameter(torch.zeros(shape[0]))

    def both(self, name):
        return self.tensors[f"{name} weight"], self.tensors[f"{name} bias"]

    def forward(self, images):
        maps = images
        for row, words in enumerate(self.rows):
            for column, word in enumerate(words):
                if word == "LRN":
                    maps = functional.local_response_norm(maps, 5, alpha=5e-4, beta=0.75, k=2.0)
                else:
                    maps = functional.relu(functional.conv2d(maps, *self.both(f"{row} {column}"), padding="same"))
            height, width = maps.shape[2:]
            maps = maps.reshape(*maps.shape[:2], height // 2, 2, width // 2, 2).amax(dim=(3, 5))
        units = maps.flatten(1)
        for number in range(2):
            units = functional.relu(functional.linear(units, *self.both(f"FC {number}")))
        return functional.linear(units, *self.both("FC 2"))


def table_key(key):
    row, column, tensor = key.removeprefix("tensors.").split()
    if row == "FC":
        return f"head.fc{int(column) + 1}.{tensor}"
    return f"stages.stage{int(row) + 1}.conv{int(column) + 1}.{tensor}"


REFERENCES = {name: Reference("torchvision", partial(torchvision.models.get_model, name, weights=None)) for name in FOREIGN} | {
    "vgg11_lrn": Reference("second implementation", partial(Table, A_LRN), table_key),
    "vgg16_1x1": Reference("second implementation", partial(Table, C), table_key),
}
