"""The neocognitron's answers, cell by cell from the paper's equations, in NumPy and in double precision."""

import numpy as np
import torch
from torch import Tensor, nn

from references.reference import Reference

SIDES = {"s1": 16, "c1": 10, "s2": 8, "c2": 6, "s3": 2, "c3": 1}
R = {"s1": 12.0, "s2": 2.0, "s3": 2.0}
LENGTHS = {"c1": 1.0, "c2": 0.3, "c3": 0.1}


def window(planes, row, column, side, layer_side):
    """The square window of all planes around where a cell of the next layer stands; silence outside."""
    before = planes.shape[1]
    top, left = (place + (before - layer_side) / 2 - (side - 1) / 2 for place in (row, column))
    cut = np.zeros((len(planes), side, side))
    for i in range(side):
        for j in range(side):
            y, x = int(top + i), int(left + j)
            if 0 <= top + i < before and 0 <= left + j < before:
                cut[:, i, j] = planes[:, y, x]
    return cut


def fall(side, power):
    middle = (side - 1) / 2
    return np.array([[power ** np.hypot(i - middle, j - middle) for j in range(side)] for i in range(side)])


def simple_layer(planes, a, b, r, layer_side):
    c = fall(5, 0.6)
    c = c / (c.sum() * len(planes))
    answers = np.zeros((len(a), layer_side, layer_side))
    for row in range(layer_side):
        for column in range(layer_side):
            u = window(planes, row, column, 5, layer_side)
            v = np.sqrt((c * u**2).sum())
            for k in range(len(a)):
                shunted = (1 + (a[k] * u).sum()) / (1 + 2 * r / (1 + r) * b[k] * v)
                answers[k, row, column] = r * max(shunted - 1, 0)
    return answers


def complex_layer(planes, layer_side):
    side = 2 if layer_side == 1 else 5
    d = fall(side, 0.7)
    answers = np.zeros((len(planes), layer_side, layer_side))
    for row in range(layer_side):
        for column in range(layer_side):
            excitation = (d * window(planes, row, column, side, layer_side)).sum(axis=(1, 2))
            x = np.maximum((1 + excitation) / (1 + excitation.mean()) - 1, 0)
            answers[:, row, column] = x / (0.5 + x)
    return answers


class SecondNeocognitron(nn.Module):
    """24 planes on 16x16 grey pixels, ten classes."""

    def __init__(self) -> None:
        super().__init__()
        for name, before in (("s1", 1), ("s2", 24), ("s3", 24)):
            self.register_parameter(f"a_{name}", nn.Parameter(torch.zeros(24, before, 5, 5)))
            self.register_parameter(f"b_{name}", nn.Parameter(torch.zeros(24)))
        self.prototypes = nn.Parameter(torch.zeros(10, 24 * 137))
        self.register_buffer("counts", torch.zeros(10))
        self.register_buffer("shown", torch.zeros((), dtype=torch.int64))

    def features(self, image):
        planes = np.maximum(image, 0)
        parts = []
        for name, side in SIDES.items():
            if name.startswith("s"):
                a, b = (getattr(self, f"{letter}_{name}").detach().double().numpy() for letter in "ab")
                planes = simple_layer(planes, a, b, R[name], side)
            else:
                planes = complex_layer(planes, side)
                length = np.sqrt((planes**2).sum())
                parts.append(LENGTHS[name] * planes.flatten() / max(length, 1e-12))
        return np.concatenate(parts)

    def forward(self, images: Tensor) -> Tensor:
        prototypes = self.prototypes.detach().double().numpy()
        rows = [self.features(image) for image in images.double().numpy()]
        return torch.tensor(np.array([-((prototypes - row) ** 2).sum(axis=1) for row in rows]), dtype=torch.float32)


def key(name: str) -> str:
    letter, _, layer = name.partition("_")
    if letter in ("a", "b"):
        return f"stages.{layer}.cells.{'excitation' if letter == 'a' else 'inhibition'}"
    return f"head.{'means' if name == 'prototypes' else name}"


REFERENCES = {"neocognitron": Reference("second implementation", SecondNeocognitron, key)}
