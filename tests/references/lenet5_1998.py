"""LeNet-5 of 1998, written from the paper's text and its description of table I in words."""

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

LAYERS = {
    "c1": "stages.c1.conv",
    "s2": "stages.s2.sum",
    "c3": "stages.c3.conv",
    "s4": "stages.s4.sum",
    "c5": "head.c5",
    "f6": "head.f6",
    "rbf": "head.output",
}

# Three neighbours, four neighbours, four of which two and two are neighbours, all six.
SEEN = [
    *({start % 6, (start + 1) % 6, (start + 2) % 6} for start in range(6)),
    *({start % 6, (start + 1) % 6, (start + 2) % 6, (start + 3) % 6} for start in range(6)),
    {0, 1, 3, 4},
    {1, 2, 4, 5},
    {0, 2, 3, 5},
    set(range(6)),
]


class Unit(nn.Module):
    """Somewhere to keep a layer's weights and biases."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(16 if shape == (60, 5, 5) else shape[0]))


class Codes(nn.Module):
    """Somewhere to keep the codes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codes", torch.empty(10, 84))


def squash(activations: Tensor) -> Tensor:
    """A tanh(S a), by the logistic function."""
    return 1.7159 * (2 * torch.sigmoid(activations * 4 / 3) - 1)


def subsample(maps: Tensor, unit: Unit) -> Tensor:
    """The four corners of each square added up."""
    total = maps[:, :, ::2, ::2] + maps[:, :, 1::2, ::2] + maps[:, :, ::2, 1::2] + maps[:, :, 1::2, 1::2]
    return squash(torch.einsum("bcij,c->bcij", total, unit.weight) + unit.bias.view(-1, 1, 1))


class SecondLenet5(nn.Module):
    """C5 is the convolution that the paper says it is."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = Unit(6, 1, 5, 5)
        self.s2 = Unit(6)
        self.c3 = Unit(60, 5, 5)
        self.s4 = Unit(16)
        self.c5 = Unit(120, 400)
        self.f6 = Unit(84, 120)
        self.rbf = Codes()

    def forward(self, images: Tensor) -> Tensor:
        field = torch.full((len(images), 1, 32, 32), -0.1)
        field[:, :, 2:30, 2:30] = images
        s2 = subsample(squash(convolve(field, self.c1.weight, self.c1.bias)), self.s2)
        maps, row = [], 0
        for number, seen in enumerate(SEEN):
            kernels = self.c3.weight[row : row + len(seen)]
            maps.append(convolve(s2[:, sorted(seen)], kernels[None], self.c3.bias[number : number + 1]))
            row += len(seen)
        s4 = subsample(squash(torch.cat(maps, dim=1)), self.s4)
        c5 = squash(convolve(s4, self.c5.weight.view(120, 16, 5, 5), self.c5.bias))[:, :, 0, 0]
        f6 = squash(c5 @ self.f6.weight.T + self.f6.bias)
        codes = self.rbf.codes
        return 2 * f6 @ codes.T - f6.square().sum(dim=1, keepdim=True) - codes.square().sum(dim=1)


def key(name: str) -> str:
    layer, _, tensor = name.rpartition(".")
    return f"{LAYERS[layer]}.{tensor}"


REFERENCES = {"lenet5_1998": Reference("second implementation", SecondLenet5, key)}
