"""Random shifts."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, between, identity
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Shift a picture in x and in y by shares of the input's sides, drawn evenly from both sides of zero."""

    translation_share: float = option(0.1, "largest shift in either direction, as a share of the input's side", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    shares = between(draw.uniform(2).to(torch.float64), -options.translation_share, options.translation_share)
    matrices = identity(len(shares), shares.device)
    matrices[:, 0, 2], matrices[:, 1, 2] = shares[:, 0] * frame.size[1], shares[:, 1] * frame.size[0]
    return matrices


AUGMENTATIONS.add("translation", Geometry(Options, _matrices))
