"""Random zoom."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, about_centre, between
from neocog.options import check, option

__all__ = ["Options", "zoom"]


@dataclass(frozen=True)
class Options:
    """Enlarge or shrink a picture about its centre, aspect kept; the logarithm of the factor is drawn evenly."""

    scale_range: tuple[float, float] = option(
        (0.8, 1.25), "smallest and largest factor, 1 is the picture's own size", low=0.05, high=20, ordered=True
    )

    def __post_init__(self) -> None:
        check(self)


def zoom(factors: Float[Tensor, "b"], frame: Frame) -> Float[Tensor, "b 3 3"]:
    """The maps that enlarge the input about its centre."""
    return about_centre(torch.diag_embed(factors.to(torch.float64)[:, None].expand(-1, 2)), frame.size)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    low, high = options.scale_range
    return zoom(between(draw.uniform(1)[:, 0].to(torch.float64), math.log(low), math.log(high)).exp(), frame)


AUGMENTATIONS.add("scale", Geometry(Options, _matrices))
