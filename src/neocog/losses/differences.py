"""What the losses of restoration have in common: a number for each value of a picture, added up over what is picture."""

from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["mean_of_pictures"]


def mean_of_pictures(differences: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"] | None) -> Float[Tensor, ""]:
    """The sum over a picture's channels and pixels, padding left out; of that the mean over the pictures."""
    shown = differences if valid is None else differences * valid[:, None]
    return shown.sum(dim=(1, 2, 3)).mean()
