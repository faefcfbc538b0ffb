"""How much the score falls when a square of the image is hidden behind grey.

M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901, section
4.2. It asks for no gradient: every network can be asked.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["OcclusionOptions", "occlusion", "squares"]

SHARE = 7  # of the shorter side: 32 of 224 pixels, 4 of 28
PIXELS_AT_ONCE = 4 * 224 * 224  # fits the caches better than more
MOST_AT_ONCE = 512


@dataclass(frozen=True)
class OcclusionOptions:
    """What can be chosen about occlusion."""

    square: int | None = option(None, "side of the square in pixels of the network's input; a seventh of its shorter side by itself", low=1)
    positions: int = option(20, "most places of the square along each side", low=1)
    grey: float = option(0.5, "what the square is filled with, in [0, 1]", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def occlusion(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: OcclusionOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer. A pixel counts for the mean fall of the score over all squares that hide it; below 0, hiding it helps."""
    height, width = images.shape[2:]
    hidden = squares((height, width), options).to(images.device)
    sums = torch.zeros(len(images), height * width, device=images.device)
    with torch.no_grad():
        whole = objective.score(images)
        pairs = torch.cartesian_prod(torch.arange(len(images)), torch.arange(len(hidden))).to(images.device)
        for part in pairs.split(max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // (height * width)))):
            rows, places = part.T.contiguous()
            score = objective.select(rows).score(images[rows].masked_fill(hidden[places, None], options.grey))
            sums.index_add_(0, rows, (whole[rows] - score)[:, None] * hidden[places].flatten(1))
    return Attribution(sums.view(-1, height, width) / hidden.sum(dim=0).clamp(min=1), signed=True)


def squares(size: tuple[int, int], options: OcclusionOptions) -> Bool[Tensor, "n h w"]:
    """The places of the square, row by row from the upper left: True where it hides.

    They lie evenly and reach both ends; a square that does not cover the way to its next place leaves pixels between.

    Args:
        size: height and width of the image.
        options: as chosen.
    """
    side = min(options.square or -(-min(size) // SHARE), *size)
    rows, columns = (_starts(length, side, options.positions) for length in size)
    hidden = torch.zeros(len(rows) * len(columns), *size, dtype=torch.bool)
    for number, (top, left) in enumerate((top, left) for top in rows for left in columns):
        hidden[number, top : top + side, left : left + side] = True
    return hidden


def _starts(length: int, side: int, most: int) -> list[int]:
    """Where the square begins along one side."""
    room = length - side
    if most == 1:
        return [room // 2]
    return sorted({round(room * number / (most - 1)) for number in range(most)})


EXPLAINERS.add(
    "occlusion",
    Explainer(
        occlusion,
        OcclusionOptions,
        summary="how much the score falls when a grey square hides a place",
        source="M. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, 2013, https://arxiv.org/abs/1311.2901",
        gradient=False,
    ),
)
