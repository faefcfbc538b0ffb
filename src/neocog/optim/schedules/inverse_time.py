"""One over time."""

from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember
from neocog.options import check, option

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Divide the learning rate by one plus a multiple of the time."""

    inverse_time_decay: float = option(9.0, "the rate at the end of the training is divided by 1 + this", low=0)

    def __post_init__(self) -> None:
        check(self)


def factor(step: int, total: int, options: Options) -> float:
    """1 / (1 + decay * share of the training that is over)."""
    return 1 / (1 + options.inverse_time_decay * step / total)


SCHEDULES.add(
    "inverse_time",
    ScheduleMember(
        Options, factor, source="Robbins & Monro, A Stochastic Approximation Method, 1951, https://doi.org/10.1214/aoms/1177729586"
    ),
)
