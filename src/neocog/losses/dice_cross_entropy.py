"""The Dice loss and the cross-entropy together."""

from jaxtyping import Float
from torch import Tensor

from neocog.losses.dice import dice
from neocog.losses.pixel_cross_entropy import pixel_cross_entropy
from neocog.targets import Masks

__all__ = ["dice_cross_entropy"]


def dice_cross_entropy(
    logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None
) -> Float[Tensor, ""]:
    """The sum of both: every pixel pulls from the first step on, and small classes count as much as large ones.

    F. Isensee et al., "nnU-Net", Nature Methods 18, 2021, Methods, https://doi.org/10.1038/s41592-020-01008-z.

    Args:
        logits: scores before the softmax.
        masks: of the same height and width.
        class_weights: how much each class counts in both parts, above 0.
    """
    return dice(logits, masks, class_weights=class_weights) + pixel_cross_entropy(logits, masks, class_weights=class_weights)
