"""The squared difference between a restored picture and the clean one."""

from jaxtyping import Bool, Float
from torch import Tensor

from neocog.losses.differences import mean_of_pictures

__all__ = ["squared_difference"]


def squared_difference(
    restored: Float[Tensor, "b c h w"], clean: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"] | None = None
) -> Float[Tensor, ""]:
    """The squared distance ||clean - restored||², the mean over the pictures.

    K. Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising", 2017,
    https://doi.org/10.1109/TIP.2017.2662206, equation 1, without its factor of a half.

    Args:
        restored: in [0, 1].
        clean: in [0, 1].
        valid: which pixels are picture; None for all.
    """
    return mean_of_pictures((restored - clean).square(), valid)
