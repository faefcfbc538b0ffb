"""Cross-entropy of segmentation."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.pixels import pixel_weights, pixels_in_a_row
from neocog.targets import Masks

__all__ = ["pixel_cross_entropy"]


def pixel_cross_entropy(
    logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None
) -> Float[Tensor, ""]:
    """The mean cross-entropy over the labelled pixels of a batch; 0 where all is void.

    With class weights the mean is weighted: the sum of the pixels' weighted losses over the sum of their weights,
    as in PyTorch.

    Args:
        logits: scores before the softmax.
        masks: of the same height and width.
        class_weights: how much a pixel of each class counts, above 0.
    """
    rows, classes = pixels_in_a_row(logits, masks)
    weights = None if class_weights is None else class_weights.to(rows)
    # In a row, as for two dimensions more there is no deterministic kernel on an accelerator.
    total = functional.cross_entropy(rows, classes, weight=weights, ignore_index=masks.void, reduction="sum")
    return total / pixel_weights(masks, weights).sum().clamp(min=1e-12)
