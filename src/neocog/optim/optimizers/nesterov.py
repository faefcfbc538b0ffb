"""Nesterov's accelerated gradient, as PyTorch writes it."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Step along a running sum of gradients that looks one step ahead: v <- momentum * v + g; w <- w - rate * (g + momentum * v)."""

    momentum: float = option(0.9, "how much of the last step is kept, from 0.001 to 1", low=1e-3, high=1)

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=learning_rate, momentum=options.momentum, nesterov=True, fused=fused(groups))


OPTIMIZERS.add(
    "nesterov",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.1,
        source="Nesterov, A method for solving the convex programming problem with convergence rate O(1/k^2), 1983; Sutskever et al., 2013, https://proceedings.mlr.press/v28/sutskever13.html",
    ),
)
