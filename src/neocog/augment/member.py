"""What a member of this folder is, where its random numbers come from, and the registry that finds it.

A member is one file: a frozen dataclass of options and one function that draws. There are three kinds:
geometry, which gives one affine matrix a picture; colour, which gives one 3x4 matrix a picture; and changes
of the batch that follow (noise, cutout, mixing).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.batch import Batch
from neocog.images import Size
from neocog.random import generator, seed_of, uniform
from neocog.registry import Registry

__all__ = ["AUGMENTATIONS", "Change", "Colour", "Draw", "Frame", "Geometry", "Member", "about_centre", "between", "identity"]


@dataclass(frozen=True)
class Draw:
    """Where one member's random numbers come from: all are functions of the numbers below.

    Attributes:
        seed: the recipe's seed.
        purpose: the member's name.
        epoch: counted from 0.
        step: counted from 0 over the whole training; None where pictures of several steps are together.
        keys: which sample of the dataset each picture is.
    """

    seed: int
    purpose: str
    epoch: int
    step: int | None
    keys: Int64[Tensor, "b"]

    def uniform(self, draws: int) -> Float[Tensor, "b draws"]:
        """Numbers in [0, 1) for each picture, new in every epoch, whatever else is in the batch."""
        return uniform(self.seed, self.purpose, self.epoch, self.keys, draws)

    def uniform_once(self, draws: int) -> Float[Tensor, "b draws"]:
        """Numbers in [0, 1) for each picture, the same in every epoch."""
        return uniform(self.seed, self.purpose, 0, self.keys, draws)

    def generators(self) -> Iterator[torch.Generator]:
        """One generator for each picture, for draws per pixel."""
        return (generator(self.seed, self.purpose, self.epoch, key, device=self.keys.device) for key in self.keys.tolist())

    def of_step(self) -> np.random.Generator:
        """One generator for the step, for draws that concern the batch as a whole: those of mixing members alone."""
        if self.step is None:
            raise ValueError(f"expected draws for single pictures, found draws for a step by {self.purpose}")
        return np.random.default_rng(seed_of(self.seed, self.purpose, self.epoch, self.step))


@dataclass(frozen=True)
class Frame:
    """Between which pixel coordinates a geometry member maps.

    Attributes:
        sizes: height and width of each picture.
        size: height and width of the network's input.
    """

    sizes: Int64[Tensor, "b 2"]
    size: Size


@dataclass(frozen=True)
class Geometry:
    """A member that moves pixels.

    Attributes:
        Options: frozen dataclass of its options; the docstring's first line says what the member does.
        matrices: (options, draw, frame) -> affine maps "b 3 3" of (x, y, 1).
        window: the matrices lead from the picture to the input, in place of the fit's; otherwise they move
            points of the input.
        exact: the matrices only flip, turn by quarters and move by whole pixels.
        source: where the method comes from.
    """

    Options: type
    matrices: Callable[[Any, Draw, Frame], Tensor]
    window: bool = False
    exact: bool = False
    source: str = ""


@dataclass(frozen=True)
class Colour:
    """A member that maps colours linearly.

    Attributes:
        Options: as in `Geometry`.
        matrices: (options, draw, mean colour "b 3" of each picture) -> maps "b 3 4" of (red, green, blue, 1).
        source: as in `Geometry`.
    """

    Options: type
    matrices: Callable[[Any, Draw, Tensor], Tensor]
    source: str = ""


@dataclass(frozen=True)
class Change:
    """A member that changes the batch after geometry and colour.

    Attributes:
        Options: as in `Geometry`.
        change: (options, draw, batch) -> batch.
        stage: when its turn is: noise before cutout before mix. Of several mixing members one is used a step.
        source: as in `Geometry`.
    """

    Options: type
    change: Callable[[Any, Draw, Batch], Batch]
    stage: Literal["noise", "cutout", "mix"]
    source: str = ""


Member = Geometry | Colour | Change

AUGMENTATIONS: Registry[Member] = Registry("an augmentation", "neocog.augment")


def between(uniforms: Tensor, low: float, high: float) -> Tensor:
    """Stretch numbers from [0, 1) to [low, high)."""
    return low + (high - low) * uniforms


def identity(count: int, device: torch.device) -> Float[Tensor, "b 3 3"]:
    """As many maps that move nothing; float64, because matrices are composed before they are applied."""
    return torch.eye(3, dtype=torch.float64, device=device).repeat(count, 1, 1)


def about_centre(linear: Float[Tensor, "b 2 2"], size: Size) -> Float[Tensor, "b 3 3"]:
    """The map that applies a linear map and leaves the centre of the input where it is.

    Args:
        linear: maps of (x, y).
        size: height and width of the input.
    """
    matrices = identity(len(linear), linear.device)
    centre = torch.tensor([size[1] / 2, size[0] / 2], dtype=torch.float64, device=linear.device)
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = centre - matrices[:, :2, :2] @ centre
    return matrices
