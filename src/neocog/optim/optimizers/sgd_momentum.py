"""Stochastic gradient descent with momentum, as PyTorch writes it."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Step along a running sum of gradients: v <- momentum * v + g; w <- w - rate * v.

    At a constant rate this walks the same path as `momentum`. When the rate changes it does not: here the
    whole running sum is scaled by the new rate at once, there each gradient keeps the rate of its own step.
    """

    momentum: float = option(0.9, "how much of the last step is kept, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=learning_rate, momentum=options.momentum, fused=fused(groups))


OPTIMIZERS.add(
    "sgd_momentum",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.1,
        source="Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, https://proceedings.mlr.press/v28/sutskever13.html",
    ),
)
