"""The focal loss: pixels that are told well count little."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.pixels import pixel_weights, pixels_in_a_row
from neocog.targets import Masks

__all__ = ["focal"]


def focal(
    logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None, gamma: float = 2.0
) -> Float[Tensor, ""]:
    """The mean of -(1 - p)^gamma log p over the labelled pixels, p being the probability of a pixel's own class; 0 where all is void.

    T. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal Loss for Dense Object Detection", 2017, equation 4,
    https://arxiv.org/abs/1708.02002. Class weights are its alpha; the mean is over the sum of the weights.

    Args:
        logits: scores before the softmax.
        masks: of the same height and width.
        class_weights: how much a pixel of each class counts, above 0.
        gamma: the larger, the less well-told pixels count; 0 gives the cross-entropy.
    """
    rows, classes = pixels_in_a_row(logits, masks)
    weights = pixel_weights(masks, None if class_weights is None else class_weights.to(rows)).reshape(-1)
    losses = functional.cross_entropy(rows, classes, ignore_index=masks.void, reduction="none")
    unsure = 1 - (-losses).exp()
    # At p = 1 a power below 1 has no derivative.
    return (weights * unsure.clamp(min=1e-12) ** gamma * losses).sum() / weights.sum().clamp(min=1e-12)
