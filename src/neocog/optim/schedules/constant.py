"""No change."""

from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Keep the learning rate as it is."""


def factor(step: int, total: int, options: Options) -> float:
    """1 at every step."""
    return 1.0


SCHEDULES.add("constant", ScheduleMember(Options, factor))
