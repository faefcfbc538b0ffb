"""Normally distributed noise."""

from dataclasses import dataclass, replace

import torch

from neocog.augment.member import AUGMENTATIONS, Change, Draw, between
from neocog.augment.resample import as_float
from neocog.batch import Batch
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Add independent normal noise to every value; its standard deviation is drawn evenly for each picture."""

    noise_deviation: tuple[float, float] = option(
        (0.0, 0.1), "smallest and largest standard deviation, on the scale 0 to 1", low=0, high=1, ordered=True
    )

    def __post_init__(self) -> None:
        check(self)


def _change(options: Options, draw: Draw, batch: Batch) -> Batch:
    images = as_float(batch.pixels)
    deviations = between(draw.uniform(1)[:, 0], *options.noise_deviation)
    noise = torch.empty(images.shape, device=images.device)
    for picture, generator in zip(noise, draw.generators(), strict=True):
        torch.randn(picture.shape, generator=generator, out=picture)
    return replace(batch, pixels=noise.mul_(deviations[:, None, None, None]).add_(images).clamp_(0, 1))


AUGMENTATIONS.add("gaussian_noise", Change(Options, _change, stage="noise"))
