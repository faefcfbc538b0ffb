"""What a map is worth on this network: how fast the answer goes when the pixels that count most are taken away, and how fast it
comes when they are given back.

V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018,
https://arxiv.org/abs/1806.07421, section 4.1. Deletion replaces pixels by the image's mean colour, the most important first;
insertion starts from the image blurred until nothing is to be told, and brings its pixels back in the same order. The areas
under the curves of the class's probability lie in [0, 1]: deletion should be small, insertion large.

What counts as nothing is a choice that the figures depend on, so they compare methods on the same pictures, and say little by
themselves: an order drawn at random has to be beaten.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from neocog.explain.gradient import at_once
from neocog.objective import Objective

__all__ = ["BASELINE", "Curves", "blurred", "curves", "order_of"]

BASELINE = "deletion: the picture's mean colour; insertion: the picture blurred by a twentieth of its shorter side"
"""What stands in place of a pixel that is not there, in words."""

BLUR = 20


@dataclass(frozen=True)
class Curves:
    """The probability of the answer while pixels go and come.

    Attributes:
        shares: of the pixels that have gone or come, from 0 to 1.
        deletion: while they go, for each image.
        insertion: while they come, for each image.
    """

    shares: Float[Tensor, " points"]
    deletion: Float[Tensor, "b points"]
    insertion: Float[Tensor, "b points"]

    @property
    def deletion_area(self) -> Float[Tensor, "b"]:
        """Under each curve, in [0, 1]."""
        return torch.trapezoid(self.deletion, self.shares, dim=1)

    @property
    def insertion_area(self) -> Float[Tensor, "b"]:
        """Under each curve, in [0, 1]."""
        return torch.trapezoid(self.insertion, self.shares, dim=1)


def curves(objective: Objective, images: Float[Tensor, "b c h w"], order: Int64[Tensor, "b n"], steps: int = 20) -> Curves:
    """Take pixels away and give them back in an order.

    Args:
        objective: whose loss is the cross-entropy to the class that is asked about; its probability is exp(-loss).
        images: in [0, 1].
        order: the pixels, numbered row by row, of each image; see `order_of`.
        steps: how often pixels go or come, each time as many.
    """
    pixels = order.shape[1]
    counts = torch.linspace(0, pixels, steps + 1, dtype=torch.float64).round().long()
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(pixels, device=order.device).expand_as(order))
    empty = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    points = counts.to(order.device)
    deletion = _probabilities(objective, images, empty, rank, points, "deletion")
    insertion = _probabilities(objective, images, blurred(images), rank, points, "insertion")
    return Curves((counts.double() / pixels).float().to(images.device), deletion, insertion)


def order_of(maps: Float[Tensor, "b h w"], generator: torch.Generator) -> Int64[Tensor, "b n"]:
    """The pixels of each image, numbered row by row, from the one that counts most; those that count the same in an order drawn at
    random, the same for all images.
    """
    values = maps.flatten(1)
    drawn = torch.randperm(values.shape[1], generator=generator, device=generator.device).to(values.device)
    return drawn[values[:, drawn].argsort(dim=1, descending=True, stable=True)]


def blurred(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The images under a Gaussian whose standard deviation is a twentieth of the shorter side, but at least a pixel."""
    shorter = min(images.shape[2:])
    sigma = max(1.0, shorter / BLUR)
    radius = min(round(3 * sigma), shorter - 1)
    return gaussian_blur(images, [2 * radius + 1, 2 * radius + 1], [sigma, sigma]) if radius else images


def _probabilities(
    objective: Objective, images: Tensor, other: Tensor, rank: Tensor, counts: Tensor, way: Literal["deletion", "insertion"]
) -> Float[Tensor, "b points"]:
    """Of each image after each count of pixels."""
    rows, points = torch.cartesian_prod(torch.arange(len(images)), torch.arange(len(counts))).to(images.device).T.contiguous()
    losses = []
    for part in torch.arange(len(rows), device=images.device).split(at_once(images)):
        own = rows[part]
        changed = (rank[own] < counts[points[part], None]).view(len(own), 1, *images.shape[2:])
        mixed = torch.where(changed == (way == "insertion"), images[own], other[own])
        with torch.no_grad():
            losses.append(objective.select(own).loss(mixed))
    return torch.cat(losses).neg().exp().view(len(images), len(counts))
