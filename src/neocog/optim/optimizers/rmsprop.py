"""RMSProp."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Divide each weight's step by the root of a running mean of its squared gradients."""

    smoothing: float = option(0.99, "how much of the running mean is kept, from 0 to 1", low=0, high=1)
    eps: float = option(1e-8, "added to the denominator, so that it is never 0", low=0)
    momentum: float = option(0.0, "how much of the last step is kept, from 0 to 1", low=0, high=1)
    centered: bool = option(False, "divide by the running standard deviation instead: the mean gradient is taken off")

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        groups, lr=learning_rate, alpha=options.smoothing, eps=options.eps, momentum=options.momentum, centered=options.centered
    )


OPTIMIZERS.add(
    "rmsprop",
    OptimizerMember(
        Options, _build, learning_rate=0.01, source="Tieleman & Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012"
    ),
)
