"""Net-3 as one matrix a layer: the windows are written out as the places of a dense layer that may differ from zero."""

import torch
from torch import Tensor, nn

from references.reference import Reference


class Places(nn.Module):
    """Units on a square grid, each with weights for a window of a square input; one input map, one output map."""

    def __init__(self, side: int, window: int, step: int) -> None:
        super().__init__()
        self.side, self.window, self.step = side, window, step
        self.units = -(-side // step)
        self.weight = nn.Parameter(torch.zeros(self.units**2, 1, window**2))
        self.bias = nn.Parameter(torch.zeros(1, self.units, self.units))

    def matrix(self) -> Tensor:
        dense = torch.zeros(self.units**2, self.side**2)
        for unit in range(self.units**2):
            top, left = (place * self.step - self.window // 2 for place in divmod(unit, self.units))
            for number in range(self.window**2):
                row, column = (start + offset for start, offset in zip((top, left), divmod(number, self.window), strict=True))
                if 0 <= row < self.side and 0 <= column < self.side:
                    dense[unit, row * self.side + column] = self.weight[unit, 0, number]
        return dense

    def forward(self, values: Tensor) -> Tensor:
        return values @ self.matrix().T + self.bias.flatten()


class SecondNet3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.h1, self.h2 = Places(16, 3, 2), Places(8, 5, 2)
        self.weight, self.bias = nn.Parameter(torch.zeros(10, 16)), nn.Parameter(torch.zeros(10))

    def forward(self, images: Tensor) -> Tensor:
        values = images.flatten(1)
        for layer in (self.h1, self.h2):
            values = 1.7159 * (1 - 2 / (1 + (layer(values) * 4 / 3).exp()))  # 1.7159 tanh(2x/3), as its definition has it
        return values @ self.weight.T + self.bias


def key(name: str) -> str:
    layer, _, part = name.rpartition(".")
    return {"h1": f"stages.hidden1.local.{part}", "h2": f"stages.hidden2.local.{part}", "": f"head.fc.{part}"}[layer]


REFERENCES = {"locally_connected": Reference("second implementation", SecondNet3, key)}
