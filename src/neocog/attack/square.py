"""The square attack: random squares of a picture are recoloured, and kept where that brings it nearer to fooling.

M. Andriushchenko, F. Croce, N. Flammarion, M. Hein, "Square Attack: a query-efficient black-box adversarial attack via
random search", 2019, https://arxiv.org/abs/1912.00049, algorithms 1 to 3. It asks for scores alone, never
for a gradient, so that a network that hides its gradients does not hide from it.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.attack.ascent import confirmed, drawn_seed, judge, margin_of
from neocog.attack.balls import Ball
from neocog.attack.bumps import moved, tiled
from neocog.attack.member import ATTACKS, Attack, Bounded
from neocog.objective import Decides, Objective
from neocog.options import check, option
from neocog.random import uniform

__all__ = ["SquareOptions", "square"]

HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Of 10,000 queries those after which the share of the picture that is recoloured falls by half."""

PLANNED = 10_000


@dataclass(frozen=True)
class SquareOptions(Bounded):
    """What can be chosen beside the ball."""

    queries: int = option(1000, "how often the network is asked about each picture, at most", low=1)
    share: float = option(0.8, "share of the picture that is recoloured at once at the beginning", above=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def square(
    objective: Objective, images: Float[Tensor, "b c h w"], options: SquareOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack. Pictures that fool drop out."""
    seed, found = drawn_seed(generator), images.clone()
    rows = (~judge(objective, images)).nonzero()[:, 0]
    if not len(rows):
        return found
    objective, ball = objective.select(rows), Ball(images[rows], options.epsilon, options.norm)
    begin, move, draws = (_stripes, _recoloured, 2) if options.norm == "linf" else (tiled, moved, 5)
    current = begin(ball, seed, rows)
    height, fooled = _ask(objective, current)
    for query in range(1, options.queries):
        found[rows] = current
        left = (~fooled).nonzero()[:, 0]
        if not len(left):
            return found
        rows, current, height = rows[left], current[left], height[left]
        objective, ball = objective.select(left), ball.select(left)
        tried = move(ball, current, _side(images, options, query), uniform(seed, "square", query, rows, draws + images.shape[1]))
        reached, fooled = _ask(objective, tried)
        better = fooled | (reached < height)
        current, height = torch.where(better[:, None, None, None], tried, current), torch.where(better, reached, height)
    found[rows] = current
    return found


def _ask(objective: Objective, images: Tensor) -> tuple[Float[Tensor, "b"], Bool[Tensor, "b"]]:
    """What is to fall (the margin where there is one, for it never flattens out as the loss does), and which images fool."""
    with torch.no_grad():
        if not isinstance(objective, Decides):
            return -objective.loss(images), judge(objective, images)
        scores = objective.scores(images)
        return margin_of(objective, scores), confirmed(objective, images, objective.fooled_by(scores))


def _stripes(ball: Ball, seed: int, rows: Int64[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
    """Vertical stripes of one pixel, each channel at one of its two ends (section 3.4)."""
    count, channels, _, width = ball.centres.shape
    signs = _signs(uniform(seed, "stripes", 0, rows, channels * width)).view(count, channels, 1, width)
    return ball.inside(ball.centres + ball.epsilon * signs.to(ball.centres.dtype))


def _recoloured(ball: Ball, images: Tensor, side: int, draws: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
    """The images with a square somewhere at one end of each channel.

    Args:
        draws: in [0, 1): for each image its row, its column, and one for each channel.
    """
    height, width = images.shape[2:]
    top, left = ((draws[:, axis] * (size - side + 1)).long() for axis, size in ((0, height), (1, width)))
    inside = _within(top, side, height)[:, None, :, None] & _within(left, side, width)[:, None, None, :]
    colours = ball.epsilon * _signs(draws[:, 2:]).to(images.dtype)[:, :, None, None]
    return torch.where(inside, ball.inside(ball.centres + colours), images)


def _within(start: Int64[Tensor, "b"], side: int, size: int) -> Bool[Tensor, "b n"]:
    places = torch.arange(size, device=start.device)
    return (places >= start[:, None]) & (places < start[:, None] + side)


def _side(images: Tensor, options: SquareOptions, query: int) -> int:
    """Of the square at a query, in pixels (section 3.2)."""
    planned = query * PLANNED // options.queries
    share = options.share / 2 ** sum(planned > change for change in HALVED_AT)
    height, width = images.shape[2:]
    return min(max(1, round(math.sqrt(share * height * width))), height, width)


def _signs(draws: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    return torch.where(draws < 0.5, -1.0, 1.0)


ATTACKS.add(
    "square",
    Attack(
        square,
        SquareOptions,
        norms=("linf", "l2"),
        bounded=True,
        gradient=False,
        summary="random squares, kept where they bring the picture nearer to fooling; asks for no gradient",
        source="M. Andriushchenko et al., 2019, Square Attack, https://arxiv.org/abs/1912.00049",
    ),
)
