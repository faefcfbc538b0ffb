"""What losses of classification share: how much each picture counts."""

from jaxtyping import Float
from torch import Tensor

from neocog.targets import Labels

__all__ = ["label_weights"]


def label_weights(labels: Labels, class_weights: Float[Tensor, "k"]) -> Float[Tensor, "b"]:
    """How much each picture counts in a weighted mean: its class's weight, of a mixture by its share.

    Args:
        labels: the classes, possibly mixed.
        class_weights: how much a picture of each class counts.
    """
    share = labels.share.to(class_weights.dtype)
    return share * class_weights[labels.classes] + (1 - share) * class_weights[labels.others]
