"""The momentum iterative method: steps along a running sum of gradients, which transfers better between networks.

Y. Dong, F. Liao, T. Pang, H. Su, J. Zhu, X. Hu, J. Li, "Boosting Adversarial Attacks with Momentum", 2017,
https://arxiv.org/abs/1710.06081, algorithm 1; in l2 equation 9.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.ascent import ascend
from neocog.attack.balls import Ball, steepest
from neocog.attack.member import ATTACKS, Attack, Bounded
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["MomentumFGSMOptions", "momentum_fgsm"]


@dataclass(frozen=True)
class MomentumFGSMOptions(Bounded):
    """What can be chosen beside the ball."""

    steps: int = option(10, "steps of the attack", low=1)
    step: float | None = option(None, "length of a step as a share of epsilon; none for 1 divided by the steps", above=0)
    decay: float = option(1.0, "share of the earlier gradients that is kept in each step", low=0)
    stop_early: bool = option(True, "leave pictures as they are once they fool; without it all go on, to higher confidence")

    def __post_init__(self) -> None:
        check(self)


def momentum_fgsm(
    objective: Objective, images: Float[Tensor, "b c h w"], options: MomentumFGSMOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing."""
    length = options.epsilon * (1 / options.steps if options.step is None else options.step)
    gathered = torch.zeros_like(images)

    def move(current: Tensor, gradient: Tensor, rows: Tensor) -> Tensor:
        """The gradient counts by its direction alone: its values' mean size is 1."""
        size = gradient.abs().mean(dim=(1, 2, 3), keepdim=True).clamp(min=torch.finfo(gradient.dtype).tiny)
        gathered[rows] = options.decay * gathered[rows] + gradient / size
        return current + length * steepest(gathered[rows], options.norm)

    ball = Ball(images, options.epsilon, options.norm)
    return ascend(objective, ball, images, move, steps=options.steps, stop_early=options.stop_early)


ATTACKS.add(
    "momentum_fgsm",
    Attack(
        momentum_fgsm,
        MomentumFGSMOptions,
        norms=("linf", "l2"),
        bounded=True,
        summary="steps along the sign of a running sum of gradients",
        source="Y. Dong et al., 2017, Boosting Adversarial Attacks with Momentum, https://arxiv.org/abs/1710.06081",
    ),
)
