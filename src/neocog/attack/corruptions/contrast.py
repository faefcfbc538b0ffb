"""Less contrast: every channel drawn together about its mean over the picture."""

from jaxtyping import Float
from torch import Tensor

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__: list[str] = []


def _corrupt(images: Float[Tensor, "b c h w"], share: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    mean = images.mean(dim=(2, 3), keepdim=True)
    return mean + (images - mean) * share


CORRUPTIONS.add(
    "contrast",
    Corruption(
        _corrupt,
        amounts=(0.75, 0.5, 0.4, 0.3, 0.15),
        amounts_of_large=(0.4, 0.3, 0.2, 0.1, 0.05),
        unit="of the contrast kept",
        summary="less contrast",
        source="Hendrycks and Dietterich 2019, contrast",
    ),
)
