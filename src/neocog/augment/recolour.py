"""Applying one 3x4 colour matrix to each picture."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.resample import as_float
from neocog.batch import Batch
from neocog.errors import UsageError
from neocog.targets import Cleans

__all__ = ["LUMA", "mean_colour", "recolour"]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that an eye sees (ITU-R BT.601)."""


def mean_colour(batch: Batch) -> Float[Tensor, "b c"]:
    """The mean of each channel over the valid pixels of each picture, on the scale [0, 1]."""
    images = as_float(batch.pixels)
    if batch.valid is None:
        return images.mean(dim=(2, 3))
    shown = batch.valid[:, None]
    return (images * shown).sum(dim=(2, 3)) / shown.sum(dim=(2, 3)).clamp(min=1)


def recolour(batch: Batch, matrices: Callable[[Float[Tensor, "b 3"]], Float[Tensor, "b 3 4"]]) -> Batch:
    """Map the colours of each picture and cut them to [0, 1]; clean pictures change with the disturbed ones.

    A grey picture counts as one with equal red, green and blue, and keeps the brightness of the result.
    What is padding stays as it is.

    Args:
        batch: pictures of 1 or 3 channels.
        matrices: gives the maps of (red, green, blue, 1) for given mean colours.

    Raises:
        UsageError: pictures with another number of channels.
    """
    batch = replace(batch, pixels=as_float(batch.pixels))
    mean = mean_colour(batch)
    channels = mean.shape[1]
    if channels not in (1, 3):
        raise UsageError("pictures of 1 or 3 channels for changes of colour", f"{channels} channels", "leave changes of colour away")
    maps = matrices(mean.expand(-1, 3))
    if channels == 1:
        luma = torch.tensor(LUMA, dtype=maps.dtype, device=maps.device)
        maps = torch.stack([maps[:, :, :3].sum(dim=2) @ luma, maps[:, :, 3] @ luma], dim=1)[:, None]
    targets = batch.targets
    if isinstance(targets, Cleans):
        targets = replace(targets, pixels=_apply(as_float(targets.pixels), maps, batch.valid))
    return replace(batch, pixels=_apply(batch.pixels, maps, batch.valid), targets=targets)


def _apply(images: Tensor, maps: Tensor, valid: Tensor | None) -> Tensor:
    count, channels, height, width = images.shape
    linear, offset = maps[:, :, :channels], maps[:, :, channels:]
    if not images.is_contiguous() and images.is_contiguous(memory_format=torch.channels_last):
        rows = images.permute(0, 2, 3, 1).reshape(count, -1, channels)
        changed = torch.baddbmm(offset.mT, rows, linear.mT).view(count, height, width, channels).permute(0, 3, 1, 2)
    else:
        changed = torch.baddbmm(offset, linear, images.reshape(count, channels, -1)).view(images.shape)
    changed = changed.clamp_(0, 1)
    return changed if valid is None else torch.where(valid[:, None], changed, images)
