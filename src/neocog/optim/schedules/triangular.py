"""Rises and falls along straight lines."""

from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember
from neocog.options import check, option

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Let the learning rate rise and fall along straight lines, once or several times."""

    triangles: int = option(1, "how often the rate rises and falls over the training", low=1)
    triangle_peak: float = option(0.5, "where the top is within each triangle, as a share of its length, from 0 to 1", low=0, high=1)
    triangle_floor: float = option(0.0, "the lowest rate, as a share of the full rate, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def factor(step: int, total: int, options: Options) -> float:
    """The floor plus the rest times the height of the triangle at this step."""
    share = step * options.triangles / total % 1
    if share < options.triangle_peak:
        height = share / options.triangle_peak
    else:
        height = (1 - share) / (1 - options.triangle_peak) if options.triangle_peak < 1 else 1.0
    return options.triangle_floor + (1 - options.triangle_floor) * height


SCHEDULES.add(
    "triangular",
    ScheduleMember(
        Options, factor, source="Smith, Cyclical Learning Rates for Training Neural Networks, 2015, https://arxiv.org/abs/1506.01186"
    ),
)
