"""Squared error of classification, which networks were trained with before cross-entropy."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.labels import label_weights
from neocog.targets import Labels

__all__ = ["squared_error"]


def squared_error(
    logits: Float[Tensor, "b k"],
    labels: Labels,
    *,
    label_smoothing: float = 0.0,
    class_weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, ""]:
    """The mean over a batch of the sum of squares between a network's outputs and +1 for the class, -1 for the others.

    Targets and their place on the scale are those of Y. LeCun et al., "Backpropagation Applied to Handwritten
    Zip Code Recognition", 1989, https://doi.org/10.1162/neco.1989.1.4.541, computed in float32 or better. A
    picture that is mixed from two has the mixture of their targets. With class weights the mean is weighted,
    as in `cross_entropy`.

    Args:
        logits: the network's outputs.
        labels: the classes, possibly mixed.
        label_smoothing: the share of the target that is spread evenly over all classes, in [0, 1].
        class_weights: how much a picture of each class counts, above 0.
    """
    scores = logits if logits.dtype.itemsize >= 4 else logits.float()
    share = labels.share.to(scores.dtype)[:, None]
    count = scores.shape[1]
    own, other = (functional.one_hot(classes, count).to(scores.dtype) for classes in (labels.classes, labels.others))
    wanted = share * own + (1 - share) * other
    wanted = (1 - label_smoothing) * wanted + label_smoothing / count
    losses = (scores - (2 * wanted - 1)).square().sum(dim=1)
    if class_weights is None:
        return losses.mean()
    weights = label_weights(labels, class_weights.to(scores))
    return (weights * losses).sum() / weights.sum()
