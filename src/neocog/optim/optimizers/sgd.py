"""Stochastic gradient descent."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Step against the gradient of each batch: w <- w - rate * g."""


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=learning_rate, fused=fused(groups))


OPTIMIZERS.add(
    "sgd",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.1,
        source="Robbins & Monro, A Stochastic Approximation Method, 1951, https://doi.org/10.1214/aoms/1177729586",
    ),
)
