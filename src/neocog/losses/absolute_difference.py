"""The absolute difference between a restored picture and the clean one."""

from jaxtyping import Bool, Float
from torch import Tensor

from neocog.losses.differences import mean_of_pictures

__all__ = ["absolute_difference"]


def absolute_difference(
    restored: Float[Tensor, "b c h w"], clean: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"] | None = None
) -> Float[Tensor, ""]:
    """The L1 distance, the mean over the pictures; it bears outliers and keeps edges.

    H. Zhao et al., "Loss Functions for Image Restoration with Neural Networks", 2017,
    https://doi.org/10.1109/TCI.2016.2644865, section III-A.

    Args:
        restored: in [0, 1].
        clean: in [0, 1].
        valid: which pixels are picture; None for all.
    """
    return mean_of_pictures((restored - clean).abs(), valid)
