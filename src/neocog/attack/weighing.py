"""How much fooling may weigh against distance: the search for the least weight that still fools, for each image by itself."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.attack.balls import distances

__all__ = ["Nearest", "Weights"]

FASTER = 10.0


class Weights:
    """The weight of fooling, grown tenfold until it is enough, then halved in between.

    Attributes:
        now: the weight to try next.
    """

    def __init__(self, images: Float[Tensor, "b c h w"], initial: float) -> None:
        self.now = images.new_full((len(images),), initial)
        self._enough = torch.full_like(self.now, torch.inf)
        self._too_small = torch.zeros_like(self.now)

    def learn(self, fooled: Bool[Tensor, "b"]) -> None:
        """Take in whether the weights that were tried last were enough."""
        self._enough = torch.where(fooled, self.now, self._enough)
        self._too_small = torch.where(fooled, self._too_small, self.now)
        self.now = torch.where(self._enough.isinf(), self.now * FASTER, (self._too_small + self._enough) / 2)


class Nearest:
    """Of all images that fool the nearest so far in l2; where none does, the image itself.

    Attributes:
        found: "b c h w".
    """

    def __init__(self, images: Float[Tensor, "b c h w"]) -> None:
        self._images = images
        self.found = images.clone()
        self._distances = torch.full((len(images),), torch.inf, dtype=torch.float64, device=images.device)

    def offer(self, images: Float[Tensor, "n c h w"], fooled: Bool[Tensor, "n"], rows: Int64[Tensor, "n"]) -> None:
        """Keep those that fool and are nearer.

        Args:
            images: changed ones.
            fooled: which of them fool.
            rows: whose they are.
        """
        away = distances(images, self._images[rows], "l2")
        nearer = fooled & (away < self._distances[rows])
        self._distances[rows[nearer]] = away[nearer]
        self.found[rows[nearer]] = images[nearer]
