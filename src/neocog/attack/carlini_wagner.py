"""Carlini and Wagner's attack in l2: Adam on the squared distance plus a margin of scores, whose weight is searched.

N. Carlini, D. Wagner, "Towards Evaluating the Robustness of Neural Networks", 2016,
https://arxiv.org/abs/1608.04644, sections V and VI A: the loss f6, the box by a hyperbolic tangent, and a binary search
over the weight c.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neocog.attack.ascent import gradient_of, judge, margin_of, require_decision
from neocog.attack.member import ATTACKS, Attack
from neocog.attack.weighing import Nearest, Weights
from neocog.objective import Decides, Objective
from neocog.options import check, option

__all__ = ["CarliniWagnerOptions", "carlini_wagner"]

NAME = "carlini_wagner"
ALMOST_ONE = 0.999999  # black and white lie at infinity of the hyperbolic tangent
DECAYS, LEAST = (0.9, 0.999), 1e-8  # Adam's
CHECKS, PROGRESS = 10, 0.9999  # so often it is asked whether the loss has fallen below this share of what it was


@dataclass(frozen=True)
class CarliniWagnerOptions:
    """What can be chosen."""

    steps: int = option(200, "steps of Adam for each weight", low=1)
    searches: int = option(9, "weights of fooling against distance that are tried", low=1)
    learning_rate: float = option(0.05, "of Adam; the paper takes 0.01 and up to 10,000 steps", above=0)
    initial_weight: float = option(0.001, "the weight that is tried first", above=0)
    confidence: float = option(0.0, "by how much the wrong class's score must be above the right one's", low=0)

    def __post_init__(self) -> None:
        check(self)


def carlini_wagner(
    objective: Objective, images: Float[Tensor, "b c h w"], options: CarliniWagnerOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing.

    Raises:
        UsageError: the task has not one class a picture, or the network no gradients.
    """
    decides = require_decision(objective, NAME)
    nearest = Nearest(images)
    nearest.offer(images, judge(objective, images), torch.arange(len(images), device=images.device))
    weights = Weights(images, options.initial_weight)
    for _ in range(options.searches):
        weights.learn(_descend(decides, images, weights.now, nearest, options))
    return nearest.found


def _descend(
    objective: Decides, images: Tensor, weights: Float[Tensor, "b"], nearest: Nearest, options: CarliniWagnerOptions
) -> Bool[Tensor, "b"]:
    """Minimise for one weight of each image; whether it was enough to fool. Images whose loss falls no more drop out."""
    won = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    rows = torch.arange(len(images), device=images.device)
    adam = _Adam(torch.atanh((2 * images - 1) * ALMOST_ONE), options.learning_rate)
    before, interval = torch.full_like(weights, torch.inf), max(1, options.steps // CHECKS)
    for step in range(options.steps):
        current, losses, gradient, fooled = _weighed(objective, adam.place, images[rows], weights[rows], options.confidence)
        nearest.offer(current, fooled, rows)
        late = 2 * step >= options.steps  # the first steps overshoot: a small weight that fools there alone is not enough
        won[rows] |= fooled & late
        adam.step(gradient)
        if step % interval == 0:
            falling = ((losses <= PROGRESS * before) | (not late)).nonzero()[:, 0]
            rows, before = rows[falling], losses[falling]
            objective = require_decision(objective.select(falling), NAME)
            adam.select(falling)
            if not len(rows):
                break
    return won


def _weighed(
    objective: Decides, place: Tensor, images: Tensor, weights: Tensor, confidence: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of a place of Adam the image, its loss, the gradient of that by the place, and whether it fools with confidence."""
    leaf = place.detach().requires_grad_()
    with torch.enable_grad():
        current = (torch.tanh(leaf) + 1) / 2
        scores = objective.scores(current)
        margin = margin_of(objective, scores) + confidence
        losses = (current - images).flatten(1).square().sum(dim=1) + weights * margin.clamp(min=0)
        gradient = gradient_of(losses, leaf)
    fooled = objective.fooled_by(scores.detach()) & (margin.detach() <= 0)  # of equal scores the first decides
    return current.detach(), losses.detach(), gradient, fooled


class _Adam:
    """D. Kingma, J. Ba, 2014, https://arxiv.org/abs/1412.6980, algorithm 1, on all values at once."""

    def __init__(self, place: Tensor, rate: float) -> None:
        self.place, self._rate, self._steps = place, rate, 0
        self._mean, self._square = torch.zeros_like(place), torch.zeros_like(place)

    def step(self, gradient: Tensor) -> None:
        """Go one step down."""
        self._steps += 1
        self._mean = DECAYS[0] * self._mean + (1 - DECAYS[0]) * gradient
        self._square = DECAYS[1] * self._square + (1 - DECAYS[1]) * gradient**2
        mean, square = self._mean / (1 - DECAYS[0] ** self._steps), self._square / (1 - DECAYS[1] ** self._steps)
        self.place = self.place - self._rate * mean / (square.sqrt() + LEAST)

    def select(self, rows: Tensor) -> None:
        """Go on with some of the images."""
        self.place, self._mean, self._square = self.place[rows], self._mean[rows], self._square[rows]


ATTACKS.add(
    NAME,
    Attack(
        carlini_wagner,
        CarliniWagnerOptions,
        norms=("l2",),
        bounded=False,
        one_class=True,
        summary="Adam on distance plus margin, whose weight is searched",
        source="N. Carlini, D. Wagner, 2016, Towards Evaluating the Robustness of Neural Networks, https://arxiv.org/abs/1608.04644",
    ),
)
