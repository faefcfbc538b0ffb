"""AdaGrad."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Divide each weight's step by the root of the sum of its squared gradients."""

    rate_decay: float = option(0.0, "the learning rate is divided by 1 + this * steps", low=0)
    initial_sum: float = option(0.0, "where the sums of squared gradients begin", low=0)
    eps: float = option(1e-10, "added to the denominator, so that it is never 0", low=0)

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.Adagrad(
        groups,
        lr=learning_rate,
        lr_decay=options.rate_decay,
        initial_accumulator_value=options.initial_sum,
        eps=options.eps,
        fused=fused(groups, devices=("cpu",)),
    )


OPTIMIZERS.add(
    "adagrad",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.01,
        source="Duchi, Hazan & Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, 2011, https://jmlr.org/papers/v12/duchi11a.html",
    ),
)
