"""The fast gradient sign method: one step of the whole radius in the direction in which the loss rises most.

I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and Harnessing Adversarial Examples", 2014,
https://arxiv.org/abs/1412.6572, section 4. In l2 the step is along the gradient itself.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.ascent import look
from neocog.attack.balls import Ball, steepest
from neocog.attack.member import ATTACKS, Attack, Bounded
from neocog.objective import Objective
from neocog.options import check

__all__ = ["FGSMOptions", "fgsm"]


@dataclass(frozen=True)
class FGSMOptions(Bounded):
    """Nothing beside the ball."""

    def __post_init__(self) -> None:
        check(self)


def fgsm(
    objective: Objective, images: Float[Tensor, "b c h w"], options: FGSMOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing."""
    gradient = look(objective, images, judged=False).gradient
    return Ball(images, options.epsilon, options.norm).inside(images + options.epsilon * steepest(gradient, options.norm))


ATTACKS.add(
    "fgsm",
    Attack(
        fgsm,
        FGSMOptions,
        norms=("linf", "l2"),
        bounded=True,
        summary="one step along the sign of the gradient",
        source="I. Goodfellow et al., 2014, Explaining and Harnessing Adversarial Examples, https://arxiv.org/abs/1412.6572",
    ),
)
