"""Mean and standard deviation of the training pictures, by which their images are normalised."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from neocog.batch import Preprocess
from neocog.evaluation import Material

__all__ = ["measured"]

PICTURES_MEASURED = 10_000  # at most
PICTURES_READ = 1_000  # at most, where they are not in memory as canvases
PICTURES_AT_ONCE = 64
LEVELS = 256


def measured(preprocess: Preprocess, material: Material, rows: Int64[Tensor, "n"]) -> Preprocess:
    """The same preprocessing with mean and standard deviation of each channel over pictures, or evenly spaced ones of many.

    Args:
        preprocess: of the network.
        material: the pictures.
        rows: which of them are learnt from.
    """
    most = PICTURES_READ if material.gathered is None else PICTURES_MEASURED
    counts = torch.zeros(preprocess.channels, LEVELS, dtype=torch.float64)
    for values in _values(material, rows[:: max(1, -(-len(rows) // most))]):
        for channel, own in enumerate(values):
            counts[channel] += torch.bincount(own.reshape(-1).to(torch.int64), minlength=LEVELS)
    levels = torch.arange(LEVELS, dtype=torch.float64) / (LEVELS - 1)
    mean, std = [], []
    for count in counts:
        average = float((count * levels).sum() / count.sum())
        spread = float((count * (levels - average) ** 2).sum() / count.sum()) ** 0.5
        mean.append(round(average, 4))
        std.append(max(round(spread, 4), 1e-3))  # pictures of one colour have no spread
    return replace(preprocess, mean=tuple(mean), std=tuple(std))


def _values(material: Material, rows: Int64[Tensor, "n"]) -> Iterator[Shaped[Tensor, "c _"]]:
    """The levels of each channel, some pictures at a time; padding is left out."""
    if material.gathered is not None:
        for part in rows.split(PICTURES_AT_ONCE):
            yield material.gathered.pixels[part].transpose(0, 1).flatten(1)
        return
    for row in rows.split(1):
        pixels = material.loader.batch(row).pixels[0]
        yield (pixels if pixels.dtype == torch.uint8 else (pixels * (LEVELS - 1)).round()).flatten(1)
