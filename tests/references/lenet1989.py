"""The zip code network of 1989, written from the paper's description of its units."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from references.reference import Reference
from references.unfolded import convolve

NAMES = {
    "first": "stages.h1.conv.weight",
    "first_thresholds": "stages.h1.local.bias",
    "second": "stages.h2.conv.weight",
    "second_thresholds": "stages.h2.local.bias",
    "third": "head.h3.weight",
    "third_thresholds": "head.h3.bias",
    "digits": "head.fc.weight",
    "digit_thresholds": "head.fc.bias",
}


def squash(activations: Tensor) -> Tensor:
    """A tanh(S a) from two exponentials."""
    up, down = torch.exp(activations * 2 / 3), torch.exp(-activations * 2 / 3)
    return 1.7159 * (up - down) / (up + down)


def surround(maps: Tensor) -> Tensor:
    """Two rows and columns of -1 on every side."""
    wide = torch.full((*maps.shape[:2], maps.shape[2] + 4, maps.shape[3] + 4), -1.0)
    wide[:, :, 2:-2, 2:-2] = maps
    return wide


class SecondLenet1989(nn.Module):
    """Weights as plain parameters; a unit of H2 adds up the maps of H1 that it sees one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(12, 1, 5, 5))
        self.first_thresholds = nn.Parameter(torch.empty(12, 8, 8))
        self.second = nn.Parameter(torch.empty(96, 5, 5))
        self.second_thresholds = nn.Parameter(torch.empty(12, 4, 4))
        self.third = nn.Parameter(torch.empty(30, 192))
        self.third_thresholds = nn.Parameter(torch.empty(30))
        self.digits = nn.Parameter(torch.empty(10, 30))
        self.digit_thresholds = nn.Parameter(torch.empty(10))

    def forward(self, images: Tensor) -> Tensor:
        h1 = squash(convolve(surround(images), self.first, stride=2) + self.first_thresholds)
        wide = surround(h1)
        maps = []
        row = 0
        for number in range(12):
            total = self.second_thresholds[number].expand(len(images), 4, 4)
            for source in range(12):
                if (source - number) % 12 < 8:
                    total = total + convolve(wide[:, source : source + 1], self.second[row][None, None], stride=2)[:, 0]
                    row += 1
            maps.append(total)
        h2 = squash(torch.stack(maps, dim=1)).flatten(1)
        h3 = squash(functional.linear(h2, self.third, self.third_thresholds))
        return squash(functional.linear(h3, self.digits, self.digit_thresholds))


REFERENCES = {"lenet1989": Reference("second implementation", SecondLenet1989, NAMES.__getitem__)}
