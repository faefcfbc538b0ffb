"""The Lovász-softmax loss: intersection over union itself, made continuous."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neocog.losses.pixels import labelled_probabilities
from neocog.targets import Masks

__all__ = ["lovasz"]


def lovasz(logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None) -> Float[Tensor, ""]:
    """The mean over the classes that occur in a batch's masks of the Lovász extension of 1 - IoU; 0 where all is void.

    M. Berman, A. Rannen Triki, M. Blaschko, "The Lovász-Softmax Loss", 2018, equations 8 and 11 and algorithm 1,
    https://arxiv.org/abs/1705.08790. Of probabilities that are 0 and 1 it is 1 - IoU exactly.

    Args:
        logits: scores before the softmax.
        masks: of the same height and width.
        class_weights: how much each class counts in the mean, above 0.
    """
    probabilities, classes = labelled_probabilities(logits, masks)
    total, weights = probabilities.sum() * 0, 0.0
    for index in classes.unique().tolist():
        truth = classes == index
        errors = (truth.to(probabilities) - probabilities[:, index]).abs()
        largest_first = errors.argsort(descending=True, stable=True)
        weight = 1.0 if class_weights is None else float(class_weights[index])
        total = total + weight * (errors[largest_first] * _steps(truth[largest_first])).sum()
        weights += weight
    return total / max(weights, 1e-12)


def _steps(truth: Bool[Tensor, "m"]) -> Float[Tensor, "m"]:
    """By how much 1 - IoU grows when, one after the other, pixels are answered wrongly."""
    inside = truth.to(torch.float64)
    kept, union = inside.sum() - inside.cumsum(0), inside.sum() + (1 - inside).cumsum(0)
    losses = 1 - kept / union
    return torch.diff(losses, prepend=losses.new_zeros(1)).to(torch.float32)
