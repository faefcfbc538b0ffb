"""Plain and residual chains of 3x3 convolutions, as one list of kernels.

Written from section 3 and 4 of https://arxiv.org/abs/1512.03385.
"""

import re

import torch
from torch import Tensor, nn
from torch.nn import functional


class Chain(nn.Module):
    """First convolution, pairs of 3x3 convolutions, mean, linear layer.

    Args:
        widths: channels of each layer of pairs.
        pairs: how many pairs each layer has.
        first: side and stride of the first kernel, and whether 3x3 maxima at every second point follow it.
        adds: whether each pair's input is added to its output; with zeros for lacking channels, half of them on each side.
        classes: number of logits.
    """

    def __init__(self, widths, pairs, first, adds, classes):
        super().__init__()
        self.side, self.stride, self.pools = first
        self.adds = adds
        rows = [widths[0]] + [width for width, count in zip(widths, pairs, strict=True) for _ in range(2 * count)]
        columns = [3, *rows[:-1]]
        sides = [self.side] + [3] * (len(rows) - 1)
        self.kernels = nn.ParameterList(torch.empty(out, into, s, s) for out, into, s in zip(rows, columns, sides, strict=True))
        self.norms = nn.ModuleList(nn.BatchNorm2d(out) for out in rows)
        self.classes = nn.Parameter(torch.empty(classes, rows[-1]))
        self.offsets = nn.Parameter(torch.empty(classes))

    def forward(self, images: Tensor) -> Tensor:
        maps = self.convolved(images, 0, self.stride).relu()
        if self.pools:
            maps = functional.max_pool2d(maps, 3, 2, 1)
        for number in range(1, len(self.kernels), 2):
            widens = self.kernels[number].shape[0] != self.kernels[number].shape[1]
            step = 2 if widens else 1
            out = self.convolved(self.convolved(maps, number, step).relu(), number + 1, 1)
            maps = (out + self.padded(maps[..., ::step, ::step], out.shape[1]) if self.adds else out).relu()
        return functional.linear(maps.mean(dim=(2, 3)), self.classes, self.offsets)

    def convolved(self, maps: Tensor, number: int, stride: int) -> Tensor:
        kernel = self.kernels[number]
        # The same convolution as ours: a hundred normalised layers without shortcuts make much of a rounding error.
        return self.norms[number](functional.conv2d(maps, kernel, stride=stride, padding=kernel.shape[-1] // 2))

    @staticmethod
    def padded(maps: Tensor, channels: int) -> Tensor:
        lacking = maps.new_zeros(len(maps), (channels - maps.shape[1]) // 2, *maps.shape[2:])
        return torch.cat([lacking, maps, lacking], dim=1)


def chain_key(pairs, adds):
    """From a chain's key to ours; `pairs` as in `Chain`."""
    places = [(layer, index) for layer, count in enumerate(pairs, start=1) for index in range(count)]

    def key(theirs):
        if theirs in ("classes", "offsets"):
            return "head.fc.weight" if theirs == "classes" else "head.fc.bias"
        kind, number, rest = re.fullmatch(r"(kernels|norms)\.(\d+)(.*)", theirs).groups()
        part = "conv.weight" if kind == "kernels" else f"norm{rest}"
        if number == "0":
            return f"stages.stem.{part}"
        layer, index = places[(int(number) - 1) // 2]
        return f"stages.layer{layer}.{index}.{'body.' if adds else ''}{(int(number) - 1) % 2}.{part}"

    return key
