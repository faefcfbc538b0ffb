"""The loss that LeNet-5 was trained with: maximum a posteriori, with a class for what is none of the classes."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.losses.labels import label_weights
from neocog.targets import Labels

__all__ = ["RUBBISH_PENALTY", "maximum_a_posteriori"]

RUBBISH_PENALTY = 1.0
"""The paper's j, for which it gives no value."""


def maximum_a_posteriori(
    logits: Float[Tensor, "b k"],
    labels: Labels,
    *,
    label_smoothing: float = 0.0,
    class_weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, ""]:
    """The mean over a batch of y_D + log(e^-j + sum_i e^-y_i), where y_i = -logit i is the penalty of class i and D the class.

    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
    https://doi.org/10.1109/5.726791, equation 9. It is the cross-entropy of a softmax that has one class more,
    to which every picture belongs with the constant penalty j: pulling the penalty of the right class down
    pays until it is well below j, and pushing those of the others up ceases to pay once they are well above it.
    Without such a class the loss would not change when all penalties grew by the same amount.

    A picture that is mixed from two has the two losses' mixture. With class weights the mean is weighted, as in
    `squared_error`. Computed in float32 or better.

    Args:
        logits: minus the penalties.
        labels: the classes, possibly mixed.
        label_smoothing: the share of the target that is spread evenly over all classes, the added one not
            among them, in [0, 1].
        class_weights: how much a picture of each class counts, above 0.
    """
    scores = logits if logits.dtype.itemsize >= 4 else logits.float()
    share = labels.share.to(scores.dtype)[:, None]
    count = scores.shape[1]
    own, other = (functional.one_hot(classes, count).to(scores.dtype) for classes in (labels.classes, labels.others))
    wanted = share * own + (1 - share) * other
    wanted = (1 - label_smoothing) * wanted + label_smoothing / count
    rubbish = torch.full_like(scores[:, :1], -RUBBISH_PENALTY)
    losses = torch.logsumexp(torch.cat([scores, rubbish], dim=1), dim=1) - (wanted * scores).sum(dim=1)
    if class_weights is None:
        return losses.mean()
    weights = label_weights(labels, class_weights.to(scores))
    return (weights * losses).sum() / weights.sum()
