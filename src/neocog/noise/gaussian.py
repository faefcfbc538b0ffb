"""Normally distributed noise, as electronics add it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.noise.member import NOISES, Noise, check_levels, drawn
from neocog.options import option

__all__ = ["Options"]

UNITS = 255  # of sigma: a standard deviation of 25 is 25/255 of the scale


@dataclass(frozen=True)
class Options:
    """Independent normal noise on every value; what leaves the scale is not cut off."""

    sigma: tuple[float, ...] = option(
        (25.0,),
        "standard deviation of gaussian noise, of 255; two are a range, drawn for each picture",
        low=0,
        high=255,
        ordered=True,
    )

    def __post_init__(self) -> None:
        check_levels(self, "sigma")


def _disturb(options: Options, picture: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
    deviation = drawn(options.sigma, generator) / UNITS
    return picture + deviation * torch.randn(picture.shape, generator=generator, device=picture.device)


def _deviation(options: Options) -> float | None:
    return options.sigma[0] / UNITS if len(set(options.sigma)) == 1 else None


NOISES.add("gaussian", Noise(Options, _disturb, _deviation, source="K. Zhang et al., https://doi.org/10.1109/TIP.2017.2662206, section IV"))
