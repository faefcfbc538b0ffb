"""Cross-entropy of classification."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.labels import label_weights
from neocog.targets import Labels

__all__ = ["cross_entropy"]


def cross_entropy(
    logits: Float[Tensor, "b k"],
    labels: Labels,
    *,
    label_smoothing: float = 0.0,
    class_weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, ""]:
    """The mean cross-entropy of a batch, computed in float32 or better.

    A picture that is mixed from two has the two losses' mixture, by its share. With class weights the mean is
    weighted: the sum of the pictures' weighted losses over the sum of their labels' weights, as in PyTorch.

    Args:
        logits: scores before the softmax.
        labels: the classes, possibly mixed.
        label_smoothing: the share of the target that is spread evenly over all classes, in [0, 1] (Szegedy et
            al., Rethinking the Inception Architecture, 2015, section 7, https://arxiv.org/abs/1512.00567).
        class_weights: how much a picture of each class counts, above 0.
    """
    scores = logits if logits.dtype.itemsize >= 4 else logits.float()
    weights = None if class_weights is None else class_weights.to(scores)
    own, other = (
        functional.cross_entropy(scores, classes, weight=weights, label_smoothing=label_smoothing, reduction="none")
        for classes in (labels.classes, labels.others)
    )
    share = labels.share.to(scores.dtype)
    losses = share * own + (1 - share) * other
    if weights is None:
        return losses.mean()
    return losses.sum() / label_weights(labels, weights).sum()
