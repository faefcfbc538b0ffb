"""One rise and one long fall."""

import math
from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember
from neocog.options import check, option

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Let the learning rate rise once from low to full, then fall to almost nothing."""

    cycle_rise: float = option(0.3, "share of the training in which the rate rises, from 0 to 1", low=0, high=1)
    cycle_start: float = option(0.04, "where the rate begins, as a share of the full rate, from 0 to 1", low=0, high=1)
    cycle_end: float = option(4e-6, "where the rate ends, as a share of the full rate, from 0 to 1", low=0, high=1)
    cycle_linear: bool = option(False, "rise and fall along straight lines instead of half cosines")

    def __post_init__(self) -> None:
        check(self)


def factor(step: int, total: int, options: Options) -> float:
    """Rising to 1, which is reached at the step before the share of the rise is over, and falling to the last step."""
    peak, last = options.cycle_rise * total - 1, total - 1
    if step <= peak:
        return _anneal(options.cycle_start, 1.0, step / peak if peak > 0 else 1.0, options.cycle_linear)
    start = max(peak, 0)
    return _anneal(1.0, options.cycle_end, (step - start) / (last - start) if last > start else 0.0, options.cycle_linear)


def _anneal(start: float, end: float, share: float, linear: bool) -> float:
    return start + (end - start) * (share if linear else (1 - math.cos(math.pi * share)) / 2)


SCHEDULES.add(
    "one_cycle",
    ScheduleMember(
        Options,
        factor,
        source="Smith & Topin, Super-Convergence: Very Fast Training Using Large Learning Rates, 2017, https://arxiv.org/abs/1708.07120",
    ),
)
