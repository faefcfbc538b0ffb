"""Pictures with a rectangle of another picture, labelled by area."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from neocog.augment.member import AUGMENTATIONS, Change, Draw
from neocog.augment.mixup import partners
from neocog.batch import Batch
from neocog.options import check, option
from neocog.targets import Labels

__all__ = ["Options", "rectangle"]


@dataclass(frozen=True)
class Options:
    """Paste a rectangle of another picture of the batch into each; one rectangle is drawn a step, its area by a beta distribution."""

    cutmix_alpha: float = option(1.0, "both parameters of the beta distribution; 1 makes all areas as likely", low=1e-3, high=1e3)

    def __post_init__(self) -> None:
        check(self)


def rectangle(numbers: np.random.Generator, alpha: float, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the rectangle; it has the image's shape, and is cut where it stands over."""
    side = math.sqrt(1 - float(numbers.beta(alpha, alpha)))
    high, wide = int(height * side), int(width * side)
    top, left = int(numbers.integers(height)) - high // 2, int(numbers.integers(width)) - wide // 2
    return max(top, 0), max(left, 0), min(top + high, height), min(left + wide, width)


def _change(options: Options, draw: Draw, batch: Batch) -> Batch:
    assert isinstance(batch.targets, Labels)  # augment admits no others
    height, width = batch.pixels.shape[2:]
    numbers = draw.of_step()
    top, left, bottom, right = rectangle(numbers, options.cutmix_alpha, height, width)
    order = torch.from_numpy(numbers.permutation(len(batch))).to(batch.pixels.device)
    pixels = batch.pixels.clone()
    pixels[:, :, top:bottom, left:right] = batch.pixels[order, :, top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return replace(batch, pixels=pixels, targets=partners(batch.targets, order, share))


AUGMENTATIONS.add(
    "cutmix",
    Change(
        Options,
        _change,
        stage="mix",
        source="Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers, 2019, https://arxiv.org/abs/1905.04899",
    ),
)
