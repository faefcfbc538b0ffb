"""How the score's difference to that of an empty image is shared out among the pixels, so that nothing is left over.

M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", 2017, https://arxiv.org/abs/1703.01365, equation 1:
the derivative along the straight way from the empty image, times the difference. The shares add up to the difference
(completeness); what is missing from it tells how well the integral was computed.

The way is cut into pieces, each taken at its middle. What the score gains between the ends of a piece is known, so that it is
known as well how far each piece is off, and those that are off too far are halved.

The difference to the empty image is a factor of every share, so that the picture's own shape stays in the map whatever the weights:
J. Adebayo and others, 2018, https://arxiv.org/abs/1810.03292, section 5.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from neocog.explain.gradient import at_once, with_gradient
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["IntegratedGradientsOptions", "integrated_gradients"]

EMPTY = {"black": 0.0, "grey": 0.5, "white": 1.0}


@dataclass(frozen=True)
class IntegratedGradientsOptions:
    """What can be chosen about integrated_gradients."""

    empty: Literal["black", "grey", "white"] = option("black", "the image that the way starts from")
    steps: int = option(16, "pieces that the way is cut into at first", low=1)
    most_steps: int = option(512, "most derivatives that are computed for an image; the pieces that are off are halved until then", low=1)
    tolerance: float = option(1e-3, "how far the shares' sum may be off, as a share of the difference", low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class _Pieces:
    """Pieces of the ways of several images.

    Attributes:
        rows: whose way each piece is on.
        starts, ends: where it begins and ends, in [0, 1].
        first, last: the scores there.
    """

    rows: Int64[Tensor, "n"]
    starts: Float[Tensor, "n"]
    ends: Float[Tensor, "n"]
    first: Float[Tensor, "n"]
    last: Float[Tensor, "n"]

    def halved(self, chosen: Bool[Tensor, "n"], middle: Float[Tensor, "n"]) -> "_Pieces":
        """Both halves of some of the pieces; the scores in the middle of all are given."""
        halfway = (self.starts + self.ends) / 2
        rows = self.rows[chosen].repeat(2)
        starts, ends = torch.cat([self.starts[chosen], halfway[chosen]]), torch.cat([halfway[chosen], self.ends[chosen]])
        return _Pieces(rows, starts, ends, torch.cat([self.first[chosen], middle[chosen]]), torch.cat([middle[chosen], self.last[chosen]]))


@dataclass(frozen=True)
class _Followed:
    """What became of pieces.

    Attributes:
        middle: the score in the middle of each.
        off: by how much the sum of its shares differs from what the score gains on it.
        open: whether that is too much.
        settled, rough: sums of the shares of those that are not open, and of those that are, for each image.
    """

    middle: Float[Tensor, "n"]
    off: Float[Tensor, "n"]
    open: Bool[Tensor, "n"]
    settled: Float[Tensor, "b c h w"]
    rough: Float[Tensor, "b c h w"]


def integrated_gradients(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: IntegratedGradientsOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer. A pixel's number is the sum over its channels.

    Its figures: "difference", what there is to share out, and "completeness_error", how far the sum of the shares is off, as a
    share of it.
    """
    empty = torch.full_like(images, EMPTY[options.empty])
    pieces = _cut(objective, images, empty, options.steps)
    gained = torch.zeros(len(images), device=images.device).index_add(0, pieces.rows, pieces.last - pieces.first)
    allowed = options.tolerance * gained.abs()
    shares, off = torch.zeros_like(images), torch.zeros_like(gained)
    computed = pieces.rows.new_zeros(len(images))
    while len(pieces.rows):
        computed += pieces.rows.bincount(minlength=len(images))
        found = _follow(objective, images, empty, pieces, allowed)
        waiting = pieces.rows[found.open].bincount(minlength=len(images))
        total_off = off.index_add(0, pieces.rows, found.off)
        ended = (total_off.abs() <= allowed) | (computed + 2 * waiting > options.most_steps)
        shares += found.settled + found.rough * ended[:, None, None, None]
        again = found.open & ~ended[pieces.rows]
        off = off.index_add(0, pieces.rows[~again], found.off[~again])
        pieces = pieces.halved(again, found.middle)
    error = off.abs() / gained.abs().clamp(min=torch.finfo(gained.dtype).tiny)
    return Attribution(shares.sum(dim=1), signed=True, figures={"difference": gained, "completeness_error": error})


def _cut(objective: Objective, images: Tensor, empty: Tensor, steps: int) -> _Pieces:
    """Equal pieces of every way."""
    grid = torch.linspace(0, 1, steps + 1, device=images.device)
    rows, points = torch.cartesian_prod(torch.arange(len(images)), torch.arange(steps + 1)).to(images.device).T.contiguous()
    scores = []
    with torch.no_grad():
        for part in torch.arange(len(rows), device=images.device).split(at_once(images)):
            where = grid[points[part], None, None, None]
            scores.append(objective.select(rows[part]).score(torch.lerp(empty[rows[part]], images[rows[part]], where)))
    score = torch.cat(scores).view(len(images), steps + 1)
    starts, ends = grid[:-1].repeat(len(images)), grid[1:].repeat(len(images))
    owners = torch.arange(len(images), device=images.device).repeat_interleave(steps)
    return _Pieces(owners, starts, ends, score[:, :-1].flatten(), score[:, 1:].flatten())


def _follow(objective: Objective, images: Tensor, empty: Tensor, pieces: _Pieces, allowed: Float[Tensor, "b"]) -> _Followed:
    """Take the derivatives in the middle of each piece.

    Args:
        allowed: how far the sum of all shares may be off, for each image; a piece may be off by its part of it.
    """
    settled, rough = torch.zeros_like(images), torch.zeros_like(images)
    middles: list[Tensor] = []
    offs: list[Tensor] = []
    opens: list[Tensor] = []
    for part in torch.arange(len(pieces.rows), device=images.device).split(at_once(images)):
        rows, length = pieces.rows[part], pieces.ends[part] - pieces.starts[part]
        middle = ((pieces.starts[part] + pieces.ends[part]) / 2)[:, None, None, None]
        score, slope = with_gradient(objective.select(rows), torch.lerp(empty[rows], images[rows], middle))
        shares = slope * (images - empty)[rows] * length[:, None, None, None]
        off = shares.sum(dim=(1, 2, 3)) - (pieces.last - pieces.first)[part]
        is_open = off.abs() > allowed[rows] * length
        settled.index_add_(0, rows[~is_open], shares[~is_open])
        rough.index_add_(0, rows[is_open], shares[is_open])
        for values, new in ((middles, score), (offs, off), (opens, is_open)):
            values.append(new)
    return _Followed(torch.cat(middles), torch.cat(offs), torch.cat(opens), settled, rough)


EXPLAINERS.add(
    "integrated_gradients",
    Explainer(
        integrated_gradients,
        IntegratedGradientsOptions,
        summary="each pixel's share of the score's difference to that of an empty picture; complete",
        source="M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks, 2017, https://arxiv.org/abs/1703.01365",
        must_fall=False,
    ),
)
