"""Blends of two pictures and of their labels."""

from dataclasses import dataclass, replace

import torch

from neocog.augment.member import AUGMENTATIONS, Change, Draw
from neocog.augment.resample import as_float
from neocog.batch import Batch
from neocog.options import check, option
from neocog.targets import Labels

__all__ = ["Options", "partners"]


@dataclass(frozen=True)
class Options:
    """Blend each picture with another one of its batch; one share is drawn a step from a symmetric beta distribution."""

    mixup_alpha: float = option(0.2, "both parameters of the beta distribution; the larger, the nearer to halves", low=1e-3, high=1e3)

    def __post_init__(self) -> None:
        check(self)


def partners(labels: Labels, order: torch.Tensor, share: float) -> Labels:
    """The labels of a batch that is mixed with itself in another order.

    Args:
        labels: not yet mixed.
        order: which picture is mixed into each.
        share: how much of each picture stays itself, in [0, 1].
    """
    return Labels(labels.classes, labels.classes[order], torch.full_like(labels.share, share))


def _change(options: Options, draw: Draw, batch: Batch) -> Batch:
    assert isinstance(batch.targets, Labels)  # augment admits no others
    numbers = draw.of_step()
    share = float(numbers.beta(options.mixup_alpha, options.mixup_alpha))
    order = torch.from_numpy(numbers.permutation(len(batch))).to(batch.pixels.device)
    images = as_float(batch.pixels)
    return replace(batch, pixels=torch.lerp(images[order], images, share), targets=partners(batch.targets, order, share))


AUGMENTATIONS.add(
    "mixup",
    Change(
        Options,
        _change,
        stage="mix",
        source="Zhang et al., mixup: Beyond Empirical Risk Minimization, 2017, https://arxiv.org/abs/1710.09412",
    ),
)
