"""More light: the value of hue, saturation and value is raised, and the colour kept as far as it goes."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__ = ["brightened"]


def brightened(images: Float[Tensor, "b c h w"], rise: float) -> Float[Tensor, "b c h w"]:
    """Images with a larger value, at most 1.

    Hue and saturation depend only on the ratios of a pixel's channels, so that all of them are scaled as the largest,
    which is the value. Black has no colour and becomes grey.
    """
    value = images.amax(dim=1, keepdim=True)
    raised = (value + rise).clamp(max=1)
    return torch.where(value > 0, images * (raised / value.clamp(min=torch.finfo(images.dtype).tiny)), raised)


def _corrupt(images: Float[Tensor, "b c h w"], rise: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    return brightened(images, rise)


CORRUPTIONS.add(
    "brightness",
    Corruption(
        _corrupt,
        amounts=(0.05, 0.1, 0.15, 0.2, 0.3),
        amounts_of_large=(0.1, 0.2, 0.3, 0.4, 0.5),
        unit="added to the value",
        summary="more light",
        source="Hendrycks and Dietterich 2019, brightness",
    ),
)
