"""Dropout with the draws in the caller's hand.

N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
Networks from Overfitting", 2014, https://jmlr.org/papers/v15/srivastava14a.html
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neocog.errors import UsageError

__all__ = ["dropout"]


def dropout(
    values: Float[Tensor, "*shape"],
    probability: float = 0.5,
    *,
    mask: Bool[Tensor, "*mask"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*shape"]:
    """Set values to 0 at random while training, and divide those that stay by the share that stays.

    The division (inverted dropout) keeps the expectation, so that nothing has to be done in evaluation. The paper
    multiplies in evaluation instead, and trains with the undivided values.

    Networks use `nn.Dropout`, which draws from torch's global generator; this is for masks that are wanted twice, or that
    are wanted to follow from a seed of their own.

    Args:
        values: of any shape.
        probability: of a value becoming 0, in [0, 1].
        mask: true where a value stays; of a shape that fits (`[b, c, 1, 1]` drops whole channels). None draws one.
        generator: what a mask is drawn with, on the values' device; None is torch's global one.

    Raises:
        UsageError: the probability is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise UsageError("a probability in [0, 1]", str(probability), "give the share of values that become 0, such as 0.5")
    if mask is None:
        mask = torch.rand(values.shape, generator=generator, device=values.device) >= probability
    if probability == 1:
        return torch.zeros_like(values)
    return torch.where(mask, values / (1 - probability), 0.0)
