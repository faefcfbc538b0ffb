"""The first adversarial examples: L-BFGS in the box of images, on the squared distance less the weighted loss.

C. Szegedy, W. Zaremba, I. Sutskever, J. Bruna, D. Erhan, I. Goodfellow, R. Fergus, "Intriguing properties of neural
networks", 2013, https://arxiv.org/abs/1312.6199, section 4.1; the least weight that fools is searched. A class is aimed
at, as there; without one it is, for each image, the likeliest of the others.

All images descend at once, each with its own history and step length. Values at the border of [0, 1] that would leave
it are held, as in projected Newton methods (D. Bertsekas, 1982, SIAM Journal on Control and Optimization 20:2).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.attack.ascent import Look, gradient_of, judge, look
from neocog.attack.member import ATTACKS, Attack
from neocog.attack.weighing import Nearest, Weights
from neocog.objective import Decides, Objective
from neocog.options import check, option

__all__ = ["LBFGSOptions", "lbfgs"]

HALVINGS = 12  # of a step that does not lead down far enough
ENOUGH = 1e-4  # share of the descent that the gradient promises (Armijo)


@dataclass(frozen=True)
class LBFGSOptions:
    """What can be chosen."""

    steps: int = option(30, "steps for each weight", low=1)
    searches: int = option(9, "weights of fooling against distance that are tried", low=1)
    initial_weight: float = option(0.001, "the weight that is tried first", above=0)
    memory: int = option(10, "earlier steps that tell the curvature", low=1)

    def __post_init__(self) -> None:
        check(self)


class _Place(NamedTuple):
    """Images, what is minimised there, and its gradient, with values in one dimension."""

    values: Float[Tensor, "b n"]
    heights: Float[Tensor, "b"]
    gradient: Float[Tensor, "b n"]

    def put(self, other: "_Place", rows: Int64[Tensor, "m"]) -> None:
        """Take in another place for some images."""
        self.values[rows], self.heights[rows], self.gradient[rows] = other.values, other.heights, other.gradient

    def take(self, rows: Int64[Tensor, "m"]) -> "_Place":
        """The place of some images."""
        return _Place(self.values[rows], self.heights[rows], self.gradient[rows])


def lbfgs(
    objective: Objective, images: Float[Tensor, "b c h w"], options: LBFGSOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing."""
    nearest, rows = Nearest(images), torch.arange(len(images), device=images.device)
    nearest.offer(images, judge(objective, images), rows)
    weights, aims = Weights(images, options.initial_weight), _aims(objective, images)
    for _ in range(options.searches):
        valley = _Valley(objective, aims, images, weights.now, nearest)
        _descend(valley, rows, options)
        weights.learn(valley.won)
    return nearest.found


def _aims(objective: Objective, images: Tensor) -> Int64[Tensor, "b"] | None:
    """Where no class is aimed at, for each image the likeliest of the others; None where the objective itself says what is wanted."""
    if not isinstance(objective, Decides) or objective.targeted:
        return None
    with torch.no_grad():
        scores = objective.scores(images)
    return scores.scatter(1, objective.asked(scores)[:, None], -torch.inf).argmax(dim=1)


class _Valley:
    """What is minimised: the squared distance less the weighted loss. All that is looked at is offered to the nearest.

    Attributes:
        won: which images fooled at any place so far.
    """

    def __init__(
        self, objective: Objective, aims: Int64[Tensor, "b"] | None, images: Tensor, weights: Float[Tensor, "b"], nearest: Nearest
    ) -> None:
        self._objective, self._aims, self._weights, self._nearest = objective, aims, weights, nearest
        self.images = images
        self.won = torch.zeros(len(images), dtype=torch.bool, device=images.device)

    def at(self, values: Float[Tensor, "m n"], rows: Int64[Tensor, "m"]) -> _Place:
        """A place for some of the images.

        Args:
            values: of the place.
            rows: which images.
        """
        start = self.images[rows]
        images = values.view_as(start)
        loss, gradient, fooled = self._look(images, rows)
        self._nearest.offer(images, fooled, rows)
        self.won[rows] |= fooled
        change, weights = values - start.flatten(1), self._weights[rows]
        return _Place(values, change.square().sum(dim=1) - weights * loss, 2 * change - weights[:, None] * gradient.flatten(1))

    def _look(self, images: Tensor, rows: Tensor) -> Look:
        """As `look`; towards the aims where there are some, for the loss of a class that is certain has no slope left."""
        objective = self._objective.select(rows)
        if self._aims is None or not isinstance(objective, Decides):
            return look(objective, images, judged=True)
        leaf = images.detach().requires_grad_()
        with torch.enable_grad():
            scores = objective.scores(leaf)
            loss = -functional.cross_entropy(scores, self._aims[rows], reduction="none")
            gradient = gradient_of(loss, leaf)
        return Look(loss.detach(), gradient, objective.fooled_by(scores.detach()))


def _descend(valley: _Valley, rows: Int64[Tensor, "m"], options: LBFGSOptions) -> None:
    """Go down from the images themselves; those for which no step leads down drop out."""
    place, history = valley.at(valley.images.flatten(1), rows), _History(options.memory)
    for _ in range(options.steps):
        held = ((place.values <= 0) & (place.gradient > 0)) | ((place.values >= 1) & (place.gradient < 0))
        free = torch.where(held, 0.0, place.gradient)
        direction = torch.where(held, 0.0, -history.divided_by_curvature(free))
        uphill = _dot(direction, free)[:, None] >= 0
        following, moved = _line_search(valley, rows, place, torch.where(uphill, -free, direction))
        if not len(moved):
            return
        history.add(following.values - place.values, following.gradient - place.gradient)
        history.select(moved)
        rows, place = rows[moved], following.take(moved)


def _line_search(valley: _Valley, rows: Tensor, place: _Place, direction: Tensor) -> tuple[_Place, Int64[Tensor, "m"]]:
    """The first of a step, its half, its quarter, … that leads down far enough, for each image; and for which there is one."""
    best = _Place(*(part.clone() for part in place))
    pending = torch.arange(len(rows), device=rows.device)
    for halvings in range(HALVINGS):
        before = place.take(pending)
        tried = valley.at((before.values + direction[pending] / 2**halvings).clamp(0, 1), rows[pending])
        promised = _dot(before.gradient, tried.values - before.values)
        enough = (promised < 0) & (tried.heights <= before.heights + ENOUGH * promised)
        best.put(tried.take(enough.nonzero()[:, 0]), pending[enough])
        pending = pending[~enough]
        if not len(pending):
            break
    moved = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    moved[pending] = False
    return best, moved.nonzero()[:, 0]


class _History:
    """The last steps and how they changed the gradient (J. Nocedal, 1980, Mathematics of Computation 35:151)."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []  # step, change of the gradient, 1 / their product or 0

    def add(self, step: Float[Tensor, "b n"], change: Float[Tensor, "b n"]) -> None:
        """Remember a step; of images whose curvature along it is not positive it does not count."""
        product = _dot(step, change)
        counts = product > torch.finfo(step.dtype).eps * _dot(change, change)
        inverse = torch.where(counts, 1 / torch.where(counts, product, 1.0), 0.0)
        self._pairs = [*self._pairs, (step, change, inverse)][-self._memory :]

    def select(self, rows: Int64[Tensor, "m"]) -> None:
        """Go on with some of the images."""
        self._pairs = [(step[rows], change[rows], inverse[rows]) for step, change, inverse in self._pairs]

    def divided_by_curvature(self, gradient: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """The two loops; before anything is known, the gradient shortened to length 1."""
        result, shares = gradient, []
        scale = 1 / _dot(gradient, gradient).sqrt().clamp(min=1.0)
        for step, change, inverse in reversed(self._pairs):
            shares.append(inverse * _dot(step, result))
            result = result - shares[-1][:, None] * change
        for _, change, inverse in self._pairs:
            scale = torch.where(inverse > 0, 1 / (inverse * _dot(change, change)).clamp(min=torch.finfo(gradient.dtype).tiny), scale)
        result = scale[:, None] * result
        for (step, change, inverse), share in zip(self._pairs, reversed(shares), strict=True):
            result = result + step * (share - inverse * _dot(change, result))[:, None]
        return result


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum(dim=1)


ATTACKS.add(
    "lbfgs",
    Attack(
        lbfgs,
        LBFGSOptions,
        norms=("l2",),
        bounded=False,
        summary="L-BFGS on distance less loss, whose weight is searched",
        source="C. Szegedy et al., 2013, Intriguing properties of neural networks, https://arxiv.org/abs/1312.6199",
    ),
)
