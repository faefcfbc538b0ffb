"""Gradient descent over the whole training split."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Step against the gradient of the whole training split: w <- w - rate * g, once an epoch."""


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=learning_rate, fused=fused(groups))


OPTIMIZERS.add(
    "gradient_descent",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.1,
        full_batch=True,
        source="Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847",
    ),
)
