"""A Gaussian blur; beyond the border the outermost pixels go on."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__ = ["blurred"]

TRUNCATE = 4.0  # standard deviations at which the kernel ends


def blurred(images: Float[Tensor, "b c h w"], deviation: float) -> Float[Tensor, "b c h w"]:
    """Images under a Gaussian of a standard deviation in pixels."""
    radius = int(TRUNCATE * deviation + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (offsets / deviation) ** 2)
    kernel = (weights / weights.sum()).to(images)
    planes = functional.pad(images.flatten(0, 1)[:, None], [radius] * 4, mode="replicate")
    planes = functional.conv2d(planes, kernel.view(1, 1, 1, -1))
    return functional.conv2d(planes, kernel.view(1, 1, -1, 1)).view(images.shape)


def _corrupt(images: Float[Tensor, "b c h w"], deviation: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    return blurred(images, deviation)


CORRUPTIONS.add(
    "blur",
    Corruption(
        _corrupt,
        amounts=(0.4, 0.6, 0.7, 0.8, 1.0),
        amounts_of_large=(1, 2, 3, 4, 6),
        unit="pixels of deviation",
        summary="a Gaussian blur",
        source="Hendrycks and Dietterich 2019, Gaussian blur (of their extra corruptions)",
    ),
)
