"""Random slant."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, about_centre, between
from neocog.options import check, option

__all__ = ["Options", "slant"]


@dataclass(frozen=True)
class Options:
    """Slant a picture about its centre, along x and along y, by angles drawn evenly from both sides of zero."""

    shear_degrees: tuple[float, float] = option(
        (10.0, 0.0), "largest slant of vertical and of horizontal lines, in degrees", low=0, high=80
    )

    def __post_init__(self) -> None:
        check(self)


def slant(degrees: Float[Tensor, "b 2"], frame: Frame) -> Float[Tensor, "b 3 3"]:
    """The maps that slant vertical lines by the first angle, then horizontal lines by the second.

    A positive first angle moves the upper edge of the input to the left, a positive second one the left edge up.
    """
    along_x, along_y = torch.tan(torch.deg2rad(degrees.to(torch.float64))).unbind(1)
    one = torch.ones_like(along_x)
    return about_centre(torch.stack([one, along_x, along_y, one + along_x * along_y], dim=1).view(-1, 2, 2), frame.size)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    angles = [between(u, -most, most) for u, most in zip(draw.uniform(2).unbind(1), options.shear_degrees, strict=True)]
    return slant(torch.stack(angles, dim=1), frame)


AUGMENTATIONS.add("shear", Geometry(Options, _matrices))
