"""The pictures that a network sees as most alike: nearest by its penultimate features.

A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, figure 4.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["Distance", "Nearest", "distances", "nearest"]

Distance = Literal["euclidean", "cosine"]
"""cosine: 1 minus the cosine of the angle between two pictures' features, in [0, 2]."""


class Nearest(NamedTuple):
    """For each picture asked about the nearest others, the nearest first; equally near ones in their order.

    Attributes:
        distances: to them.
        keys: of them.
    """

    distances: Float[Tensor, "q n"]
    keys: Int64[Tensor, "q n"]


def distances(asked: Float[Tensor, "q f"], others: Float[Tensor, "n f"], kind: Distance) -> Float[Tensor, "q n"]:
    """How far each picture asked about is from each other."""
    asked, others = asked.double(), others.double()
    if kind == "cosine":
        asked, others = (torch.nn.functional.normalize(one, dim=1) for one in (asked, others))
        return (1 - asked @ others.T).float()
    return torch.cdist(asked, others, compute_mode="donot_use_mm_for_euclid_dist").float()


def nearest(
    asked: Float[Tensor, "q f"], batches: Iterable[tuple[Int64[Tensor, "b"], Float[Tensor, "b f"]]], *, count: int, kind: Distance
) -> Nearest:
    """The nearest of many pictures, whose features pass by batch after batch and are not kept.

    Args:
        asked: features of the pictures asked about.
        batches: keys and features of the others; at least one.
        count: how many of them to keep.
        kind: see `Distance`.
    """
    kept_far, kept_keys = torch.empty(len(asked), 0), torch.empty(len(asked), 0, dtype=torch.int64)
    for keys, features in batches:
        far = torch.cat([kept_far, distances(asked, features, kind)], dim=1)
        names = torch.cat([kept_keys, keys.expand(len(asked), -1)], dim=1)
        order = far.sort(dim=1, stable=True).indices[:, :count]
        kept_far, kept_keys = far.gather(1, order), names.gather(1, order)
    return Nearest(kept_far, kept_keys)
