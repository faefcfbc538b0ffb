"""The Dice loss: how far the classes' areas are from overlapping."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.pixels import labelled_probabilities
from neocog.targets import Masks

__all__ = ["dice"]


def dice(logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None) -> Float[Tensor, ""]:
    """One minus the mean soft Dice coefficient of the classes that occur in a batch's masks; 0 where all is void.

    Of one class: 2 sum(p g) / (sum(p^2) + sum(g^2)) over the labelled pixels of the batch, p being its probability and
    g whether it is the truth. F. Milletari, N. Navab, S. Ahmadi, "V-Net", 2016, section 3, https://arxiv.org/abs/1606.04797.

    Args:
        logits: scores before the softmax.
        masks: of the same height and width.
        class_weights: how much each class counts in the mean, above 0.
    """
    probabilities, classes = labelled_probabilities(logits, masks)
    truth = functional.one_hot(classes, probabilities.shape[1]).to(probabilities)
    occurs = truth.any(dim=0)
    overlap = 2 * (probabilities * truth).sum(dim=0)
    coefficients = overlap / (probabilities.square().sum(dim=0) + truth.sum(dim=0)).clamp(min=1e-12)
    weights = occurs.to(probabilities) if class_weights is None else torch.where(occurs, class_weights.to(probabilities), 0.0)
    return (weights * (1 - coefficients)).sum() / weights.sum().clamp(min=1e-12)
