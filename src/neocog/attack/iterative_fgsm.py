"""The basic iterative method: many steps of one grey level each, from the image itself.

A. Kurakin, I. Goodfellow, S. Bengio, "Adversarial examples in the physical world", 2016,
https://arxiv.org/abs/1607.02533, section 2.2.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.ascent import ascend
from neocog.attack.balls import Ball, steepest
from neocog.attack.member import ATTACKS, Attack, Bounded
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["IterativeFGSMOptions", "iterative_fgsm"]

GREY_LEVEL = 1 / 255


@dataclass(frozen=True)
class IterativeFGSMOptions(Bounded):
    """What can be chosen beside the ball."""

    steps: int | None = option(None, "steps of the attack; none for the paper's, the less of e + 4 and 1.25 e at e grey levels", low=1)
    step: float | None = option(None, "length of a step as a share of epsilon; none for one grey level", above=0)
    stop_early: bool = option(True, "leave pictures as they are once they fool; without it all go on, to higher confidence")

    def __post_init__(self) -> None:
        check(self)


def iterative_fgsm(
    objective: Objective, images: Float[Tensor, "b c h w"], options: IterativeFGSMOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing."""
    levels = options.epsilon / GREY_LEVEL
    steps = options.steps or max(1, math.ceil(min(levels + 4, 1.25 * levels) - 1e-9))
    length = min(GREY_LEVEL, options.epsilon) if options.step is None else options.step * options.epsilon
    ball = Ball(images, options.epsilon, options.norm)
    return ascend(
        objective,
        ball,
        images,
        lambda current, gradient, _: current + length * steepest(gradient, options.norm),
        steps=steps,
        stop_early=options.stop_early,
    )


ATTACKS.add(
    "iterative_fgsm",
    Attack(
        iterative_fgsm,
        IterativeFGSMOptions,
        norms=("linf",),
        bounded=True,
        summary="steps of one grey level along the sign of the gradient, from the image itself",
        source="A. Kurakin et al., 2016, Adversarial examples in the physical world, https://arxiv.org/abs/1607.02533",
    ),
)
