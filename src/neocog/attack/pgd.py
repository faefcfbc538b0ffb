"""Projected gradient descent: many steps from random points of the ball, the strongest of the simple attacks.

A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu, "Towards Deep Learning Models Resistant to Adversarial
Attacks", 2017, https://arxiv.org/abs/1706.06083, section 2.1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.ascent import ascend, drawn_seed, judge
from neocog.attack.balls import Ball, steepest
from neocog.attack.member import ATTACKS, Attack, Bounded
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["PGDOptions", "pgd"]

WHOLE_WAY = 2.5  # times epsilon: what all steps together may go, so that a border can be reached from anywhere, and left again


@dataclass(frozen=True)
class PGDOptions(Bounded):
    """What can be chosen beside the ball."""

    steps: int = option(40, "steps of the attack", low=1)
    step: float | None = option(None, "length of a step as a share of epsilon; none for 2.5 divided by the steps", above=0)
    restarts: int = option(1, "random points of the ball that are started from, one after the other", low=1)
    random_start: bool = option(True, "begin anywhere in the ball; without it at the image itself")
    stop_early: bool = option(True, "leave pictures as they are once they fool; without it all go on, to higher confidence")

    def __post_init__(self) -> None:
        check(self)


def pgd(
    objective: Objective, images: Float[Tensor, "b c h w"], options: PGDOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack. Of several restarts the first that fools counts, else (or without `stop_early`) the one with the highest loss."""
    seed, found = drawn_seed(generator), images.clone()
    rows = torch.arange(len(images), device=images.device)
    if options.stop_early:
        rows = rows[~judge(objective, images)]
    highest = torch.full((len(images),), -torch.inf, device=images.device)
    for restart in range(options.restarts):
        if not len(rows):
            break
        asked = objective.select(rows)
        reached = _climbed(asked, Ball(images[rows], options.epsilon, options.norm), options, seed, restart, rows)
        won = judge(asked, reached) & options.stop_early
        with torch.no_grad():
            loss = asked.loss(reached).float()
        better = won | (loss > highest[rows])
        found[rows[better]], highest[rows[better]] = reached[better], loss[better]
        rows = rows[~won]
    return found


def _climbed(objective: Objective, ball: Ball, options: PGDOptions, seed: int, restart: int, rows: Tensor) -> Tensor:
    """Where one start leads."""
    length = options.epsilon * (WHOLE_WAY / options.steps if options.step is None else options.step)
    return ascend(
        objective,
        ball,
        ball.anywhere(seed, restart, rows) if options.random_start else ball.centres,
        lambda current, gradient, _: current + length * steepest(gradient, options.norm),
        steps=options.steps,
        stop_early=options.stop_early,
    )


ATTACKS.add(
    "pgd",
    Attack(
        pgd,
        PGDOptions,
        norms=("linf", "l2"),
        bounded=True,
        summary="steps along the sign of the gradient from random points of the ball",
        source="A. Madry et al., 2017, Towards Deep Learning Models Resistant to Adversarial Attacks, https://arxiv.org/abs/1706.06083",
    ),
)
