"""Adadelta."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Divide each weight's step by a running mean of its squared gradients, multiply by one of its squared steps."""

    rho: float = option(0.9, "how much of the running means is kept, from 0 to 1", low=0, high=1)
    eps: float = option(1e-6, "added to the denominator, so that it is never 0", low=0)

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.Adadelta(groups, lr=learning_rate, rho=options.rho, eps=options.eps)


OPTIMIZERS.add(
    "adadelta",
    OptimizerMember(
        Options,
        _build,
        learning_rate=1.0,
        source="Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, https://arxiv.org/abs/1212.5701",
    ),
)
