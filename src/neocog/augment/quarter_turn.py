"""Random turns by multiples of 90 degrees."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, about_centre

__all__ = ["Options"]

# cosine and sine of 0, 90, 180 and 270 degrees, without the error that trigonometry would bring in
TURNS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


@dataclass(frozen=True)
class Options:
    """Turn a picture by 0, 90, 180 or 270 degrees, each as likely; by 0 or 180 where the input is not square."""


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    square = frame.size[0] == frame.size[1]
    turns = (draw.uniform(1)[:, 0] * 4).long() if square else (draw.uniform(1)[:, 0] * 2).long() * 2
    cosine, sine = torch.tensor(TURNS, dtype=torch.float64, device=turns.device)[turns].unbind(1)
    return about_centre(torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2), frame.size)


AUGMENTATIONS.add("quarter_turn", Geometry(Options, _matrices, exact=True))
