"""Adam."""

from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember, fused
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Step along a running mean of gradients over the root of a running mean of their squares. Weight decay is added to the gradient."""

    beta1: float = option(0.9, "how much of the running mean of gradients is kept, from 0 to below 1", low=0, high=0.999999)
    beta2: float = option(0.999, "how much of the running mean of squared gradients is kept, from 0 to below 1", low=0, high=0.999999)
    eps: float = option(1e-8, "added to the denominator, so that it is never 0", low=0)

    def __post_init__(self) -> None:
        check(self)


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=learning_rate, betas=(options.beta1, options.beta2), eps=options.eps, fused=fused(groups))


OPTIMIZERS.add(
    "adam",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.001,
        source="Kingma & Ba, Adam: A Method for Stochastic Optimization, 2014, https://arxiv.org/abs/1412.6980",
    ),
)
