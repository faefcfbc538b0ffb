"""Independent normal noise on every value; a picture's draws are the same at all strengths, only larger."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__: list[str] = []


def _corrupt(images: Float[Tensor, "b c h w"], deviation: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    shape = images.shape[1:]
    noise = [torch.randn(shape, generator=generator, device=images.device) for generator in draw.generators()]
    return images + deviation * torch.stack(noise)


CORRUPTIONS.add(
    "noise",
    Corruption(
        _corrupt,
        amounts=(0.04, 0.06, 0.08, 0.09, 0.10),
        amounts_of_large=(0.08, 0.12, 0.18, 0.26, 0.38),
        unit="standard deviation",
        summary="normal noise on every value",
        source="Hendrycks and Dietterich 2019, Gaussian noise",
    ),
)
