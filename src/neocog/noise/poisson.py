"""The noise of light itself, which comes in photons."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.noise.member import NOISES, Noise, check_levels, drawn
from neocog.options import option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """As many photons for each value as a Poisson distribution gives; the fewer, the noisier."""

    peak: tuple[float, ...] = option(
        (30.0,), "photons that a white value stands for on average; two are a range, drawn for each picture", above=0, ordered=True
    )

    def __post_init__(self) -> None:
        check_levels(self, "peak")


def _disturb(options: Options, picture: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
    peak = drawn(options.peak, generator)
    return torch.poisson(picture.clamp(min=0) * peak, generator=generator) / peak


NOISES.add("poisson", Noise(Options, _disturb, source="M. Makitalo and A. Foi, https://doi.org/10.1109/TIP.2010.2056693"))
