"""Pixels that are lost to white or black."""

from dataclasses import dataclass, replace

import torch

from neocog.augment.member import AUGMENTATIONS, Change, Draw
from neocog.batch import Batch
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Turn random pixels white or black, all channels together, each as likely."""

    salt_and_pepper_share: float = option(0.02, "share of the pixels that are lost, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def _change(options: Options, draw: Draw, batch: Batch) -> Batch:
    shape, device = batch.pixels.shape[2:], batch.pixels.device
    lots = torch.stack([torch.rand(shape, generator=generator, device=device) for generator in draw.generators()])[:, None]
    white = 255 if batch.pixels.dtype == torch.uint8 else 1.0
    pixels = batch.pixels.masked_fill(lots < options.salt_and_pepper_share, 0)
    return replace(batch, pixels=pixels.masked_fill_(lots < options.salt_and_pepper_share / 2, white))


AUGMENTATIONS.add("salt_and_pepper", Change(Options, _change, stage="noise"))
