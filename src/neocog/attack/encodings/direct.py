"""The direct encoding: every value of the picture is a gene."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from neocog.attack.encodings.member import ENCODINGS, Encoding, Shape, polynomial_mutation

__all__: list[str] = []

Genome = NDArray[np.float64]  # the picture, in [0, 1]

FIRST_RATE = 0.1  # share of the genes that a mutation moves, halved every so many generations
HALVED_AFTER = 1000


def _first(shape: Shape, draws: np.random.Generator) -> Genome:
    return draws.random(shape)


def _mutate(genome: Genome, generation: int, draws: np.random.Generator) -> Genome:
    return polynomial_mutation(genome, FIRST_RATE * 0.5 ** (generation // HALVED_AFTER), (0.0, 1.0), draws)


def _render(genome: Genome, shape: Shape) -> Float[Tensor, "c h w"]:
    return torch.from_numpy(genome).to(torch.float32)


ENCODINGS.add(
    "direct",
    Encoding(
        _first,
        _mutate,
        _render,
        summary="every value of the picture is a gene: evolves to noise",
        source="A. Nguyen, J. Yosinski, J. Clune, Deep Neural Networks are Easily Fooled, 2014, https://arxiv.org/abs/1412.1897",
    ),
)
