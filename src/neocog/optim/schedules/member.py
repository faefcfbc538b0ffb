"""What a member of this folder is, the registry that finds it, and warm-up, which goes before any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neocog.registry import Registry

__all__ = ["SCHEDULES", "ScheduleMember", "learning_rate_factor"]


@dataclass(frozen=True)
class ScheduleMember:
    """One schedule: a pure function, so that a resumed training needs nothing but the step.

    Attributes:
        Options: frozen dataclass of its options; the docstring's first line says how the rate goes.
        factor: (step counted from 0, steps in all, options) -> factor of the learning rate in [0, 1].
        source: where the schedule comes from.
    """

    Options: type
    factor: Callable[[int, int, Any], float]
    source: str = ""


SCHEDULES: Registry[ScheduleMember] = Registry("a schedule", "neocog.optim.schedules")


def learning_rate_factor(name: str, step: int, total: int, options: Any = None, *, warmup: int = 0) -> float:
    """By what the learning rate is multiplied in one step.

    A warm-up grows in equal parts to the schedule's first factor (Goyal et al., Accurate, Large Minibatch SGD,
    2017, section 2.2, https://arxiv.org/abs/1706.02677); the schedule then runs over the steps that are left.

    Args:
        name: see `SCHEDULES`.
        step: counted from 0.
        total: steps of the whole training, warm-up included.
        options: an instance of the member's Options; its defaults when None.
        warmup: steps of warm-up, fewer than `total`.

    Returns:
        In [0, 1].

    Raises:
        UsageError: no schedule has that name.
        ValueError: a step outside of the training, or a warm-up that leaves no step.
    """
    if not (0 <= step < total and 0 <= warmup < total):
        raise ValueError(f"step {step} and warm-up {warmup} of a training of {total} steps")
    member = SCHEDULES[name]
    options = member.Options() if options is None else options
    if step < warmup:
        return member.factor(0, total - warmup, options) * (step + 1) / (warmup + 1)
    return member.factor(step - warmup, total - warmup, options)
