"""Charbonnier's loss: the absolute difference, rounded off at 0."""

from jaxtyping import Bool, Float
from torch import Tensor

from neocog.losses.differences import mean_of_pictures

__all__ = ["EPSILON", "charbonnier"]

EPSILON = 1e-3
"""Differences well above it count as they are, those well below it by their square; on the scale [0, 1]."""


def charbonnier(
    restored: Float[Tensor, "b c h w"], clean: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"] | None = None
) -> Float[Tensor, ""]:
    """The sum of sqrt(difference² + epsilon²), the mean over the pictures.

    P. Charbonnier et al., "Two Deterministic Half-Quadratic Regularization Algorithms for Computed Imaging", 1994,
    https://doi.org/10.1109/ICIP.1994.413553; with this epsilon in W.-S. Lai et al., "Deep Laplacian Pyramid Networks
    for Fast and Accurate Super-Resolution", 2017, https://arxiv.org/abs/1704.03915, section 3.3.

    Args:
        restored: in [0, 1].
        clean: in [0, 1].
        valid: which pixels are picture; None for all.
    """
    return mean_of_pictures(((restored - clean).square() + EPSILON**2).sqrt(), valid)
