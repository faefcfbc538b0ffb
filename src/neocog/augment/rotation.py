"""Random rotations."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, about_centre, between
from neocog.options import check, option

__all__ = ["Options", "rotate"]


@dataclass(frozen=True)
class Options:
    """Rotate a picture about its centre by an angle drawn evenly from both sides of zero."""

    rotation_degrees: float = option(15.0, "largest angle in either direction, in degrees", low=0, high=180)

    def __post_init__(self) -> None:
        check(self)


def rotate(degrees: Float[Tensor, "b"], frame: Frame) -> Float[Tensor, "b 3 3"]:
    """The maps that rotate the input clockwise about its centre."""
    angle = torch.deg2rad(degrees.to(torch.float64))
    cosine, sine = angle.cos(), angle.sin()
    return about_centre(torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2), frame.size)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    return rotate(between(draw.uniform(1)[:, 0], -options.rotation_degrees, options.rotation_degrees), frame)


AUGMENTATIONS.add("rotation", Geometry(Options, _matrices))
