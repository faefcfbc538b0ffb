"""Half a cosine."""

import math
from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember
from neocog.options import check, option

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Let the learning rate fall along half a cosine."""

    cosine_floor: float = option(0.0, "where the rate ends, as a share of where it began, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def factor(step: int, total: int, options: Options) -> float:
    """The floor plus the rest times (1 + cos(pi * share of the training that is over)) / 2."""
    return options.cosine_floor + (1 - options.cosine_floor) * (1 + math.cos(math.pi * step / total)) / 2


SCHEDULES.add(
    "cosine",
    ScheduleMember(
        Options,
        factor,
        source="Loshchilov & Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2016, https://arxiv.org/abs/1608.03983",
    ),
)
