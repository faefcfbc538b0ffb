"""What losses of segmentation share: pixels in a row, and how much each counts."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.targets import Masks

__all__ = ["labelled_probabilities", "pixel_weights", "pixels_in_a_row"]


def pixels_in_a_row(logits: Float[Tensor, "b k h w"], masks: Masks) -> tuple[Float[Tensor, "n k"], Int64[Tensor, "n"]]:
    """Logits and classes of all pixels of a batch, void ones too; logits in float32 or better."""
    scores = logits if logits.dtype.itemsize >= 4 else logits.float()
    return scores.movedim(1, -1).reshape(-1, scores.shape[1]), masks.classes.reshape(-1)


def pixel_weights(masks: Masks, class_weights: Float[Tensor, "k"] | None) -> Float[Tensor, "b h w"]:
    """How much each pixel counts: its class's weight, 0 where it is void."""
    labelled: Bool[Tensor, "b h w"] = masks.classes != masks.void
    if class_weights is None:
        return labelled.to(torch.float32)
    return torch.where(labelled, class_weights[masks.classes.masked_fill(~labelled, 0)], 0.0)


def labelled_probabilities(logits: Float[Tensor, "b k h w"], masks: Masks) -> tuple[Float[Tensor, "m k"], Int64[Tensor, "m"]]:
    """Class probabilities and classes of the labelled pixels of a batch."""
    rows, classes = pixels_in_a_row(logits, masks)
    labelled = (classes != masks.void).nonzero()[:, 0]
    return rows[labelled].softmax(dim=1), classes[labelled]
