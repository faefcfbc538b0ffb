"""The picture moved by whole pixels in a direction that is drawn; mirrored pixels come in behind it."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__ = ["moved"]


def moved(images: Float[Tensor, "b c h w"], shifts: Int64[Tensor, "b 2"]) -> Float[Tensor, "b c h w"]:
    """Each image moved by (x, y) pixels to the right and down, reflected about its outer edges."""
    columns = _reflected(images.shape[-1], shifts[:, 0])
    rows = _reflected(images.shape[-2], shifts[:, 1])
    pictures = torch.arange(len(images), device=images.device)[:, None, None]
    return images[pictures, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(extent: int, shifts: Int64[Tensor, "b"]) -> Int64[Tensor, "b extent"]:
    """For each place of the moved side the place that it shows."""
    places = torch.remainder(torch.arange(extent, device=shifts.device) - shifts[:, None], 2 * extent)
    return torch.where(places < extent, places, 2 * extent - 1 - places)


def _corrupt(images: Float[Tensor, "b c h w"], share: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    angles = draw.uniform(1) * (2 * math.pi)
    directions = torch.cat([angles.cos(), angles.sin()], dim=1)
    return moved(images, (directions * share * min(images.shape[-2:])).round().long())


CORRUPTIONS.add(
    "shift",
    Corruption(
        _corrupt,
        amounts=(0.05, 0.1, 0.15, 0.2, 0.25),
        amounts_of_large=(0.05, 0.1, 0.15, 0.2, 0.25),
        unit="of the shorter side",
        summary="moved in any direction",
        source="amounts of our own",
        moves=True,
    ),
)
