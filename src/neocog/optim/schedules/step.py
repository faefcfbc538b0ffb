"""Drops by steps."""

from dataclasses import dataclass

from neocog.optim.schedules.member import SCHEDULES, ScheduleMember
from neocog.options import check, option

__all__ = ["Options", "factor"]


@dataclass(frozen=True)
class Options:
    """Multiply the learning rate by a factor at given places of the training."""

    drop_at: tuple[float, ...] = option((0.5, 0.75), "where the rate drops, as shares of the training", low=0, high=1, ordered=True)
    drop_factor: float = option(0.1, "what the rate is multiplied by at each drop, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def factor(step: int, total: int, options: Options) -> float:
    """The drop factor to the power of how many drops lie behind."""
    return options.drop_factor ** sum(step >= place * total for place in options.drop_at)


SCHEDULES.add(
    "step",
    ScheduleMember(
        Options,
        factor,
        source="He et al., Deep Residual Learning for Image Recognition, 2015, section 4.2, https://arxiv.org/abs/1512.03385",
    ),
)
