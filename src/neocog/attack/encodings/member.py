"""What an encoding is, the mutation that encodings share, and the registry that finds them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from neocog.registry import Registry

__all__ = ["ENCODINGS", "Encoding", "Shape", "polynomial_mutation"]

Shape = tuple[int, int, int]  # channels, height, width
Floats = NDArray[np.float64]

STRENGTH = 15.0  # the paper's; the larger, the smaller the steps


@dataclass(frozen=True)
class Encoding:
    """One way to write a picture as a genome that can be mutated.

    Attributes:
        first: `first(shape, draws) -> genome`, a random one.
        mutate: `mutate(genome, generation, draws) -> genome`, a new one; the old one stays as it is.
        render: `render(genome, shape) -> picture`, float "c h w" in [0, 1].
        summary: what it is, in a few words.
        source: where it is from.
    """

    first: Callable[[Shape, np.random.Generator], Any]
    mutate: Callable[[Any, int, np.random.Generator], Any]
    render: Callable[[Any, Shape], Tensor]
    summary: str
    source: str


ENCODINGS: Registry[Encoding] = Registry("an encoding", "neocog.attack.encodings")


def polynomial_mutation(values: Floats, rate: float, bounds: tuple[float, float], draws: np.random.Generator) -> Floats:
    """Some values moved by steps of which small ones are likelier, and kept within bounds.

    K. Deb, "Multi-Objective Optimization Using Evolutionary Algorithms", 2001, with strength 15.

    Args:
        values: any shape.
        rate: chance that a value is moved, in [0, 1].
        bounds: the least and the largest value.
        draws: where the chances come from.
    """
    moved = draws.random(values.shape) < rate
    evenly = draws.random(values.shape)
    rising = 1 - (2 * (1 - evenly)) ** (1 / (STRENGTH + 1))
    falling = (2 * evenly) ** (1 / (STRENGTH + 1)) - 1
    steps = np.where(evenly < 0.5, falling, rising) * (bounds[1] - bounds[0])
    return np.clip(np.where(moved, values + steps, values), *bounds)
