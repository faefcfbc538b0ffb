"""Pixels that are lost to black or white, as by dead sensor cells or errors of transmission."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.noise.member import NOISES, Noise, check_levels, drawn
from neocog.options import option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Random pixels turn black or white, all channels together, each as likely."""

    lost: tuple[float, ...] = option(
        (0.05,),
        "share of the pixels that salt and pepper take; two are a range, drawn for each picture",
        low=0,
        high=1,
        ordered=True,
    )

    def __post_init__(self) -> None:
        check_levels(self, "lost")


def _disturb(options: Options, picture: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
    share = drawn(options.lost, generator)
    lots = torch.rand(picture.shape[1:], generator=generator, device=picture.device)
    return picture.masked_fill(lots < share, 0.0).masked_fill(lots < share / 2, 1.0)


NOISES.add(
    "salt_and_pepper", Noise(Options, _disturb, source="R. C. Gonzalez and R. E. Woods, Digital Image Processing, 2018, section 5.2")
)
