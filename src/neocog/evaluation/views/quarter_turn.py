"""Quarter turns, as a microscope, a telescope or a satellite might have seen the same."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.evaluation.views.view import VIEWS, View
from neocog.images import Size


def _maps(canvas: Size, size: Size) -> Float[Tensor, "4 3 3"]:
    """Turns about the middle, by whole pixels also where a side is even and the other odd."""
    height, width = size
    turns = torch.eye(3, dtype=torch.float64).repeat(4, 1, 1)
    for turn, linear in zip(turns[1:], ([[0, 1], [-1, 0]], [[-1, 0], [0, -1]], [[0, -1], [1, 0]]), strict=True):
        turn[:2, :2] = torch.tensor(linear, dtype=torch.float64)
        middle = torch.tensor([width, height], dtype=torch.float64) / 2
        turn[:2, 2] = (middle - turn[:2, :2] @ middle).floor()
    return turns


VIEWS.add(
    "quarter_turn",
    View(
        "as it is and turned by one, two and three quarters: 4 views, and with flip the 8 of Timofte's paper",
        _maps,
        whole=True,
        source="Timofte, Rothe & Van Gool, Seven Ways to Improve Example-Based Single Image Super Resolution, 2016, "
        "https://arxiv.org/abs/1511.02228, Enhanced prediction",
    ),
)
