"""Momentum, as lectures write it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from neocog.optim.optimizers.member import OPTIMIZERS, OptimizerMember
from neocog.options import check, option

__all__ = ["HeavyBall", "Options"]


@dataclass(frozen=True)
class Options:
    """Step with a velocity that gradients push: v <- momentum * v - rate * g; w <- w + v.

    At a constant rate this walks the same path as `sgd_momentum`. When the rate changes it does not: here
    each gradient keeps the rate of its own step, and the ball rolls on at its old speed for a while; there
    the whole running sum is scaled by the new rate at once.
    """

    momentum: float = option(0.9, "how much of the velocity is kept, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


class HeavyBall(torch.optim.Optimizer):
    """The rule of `Options`, with weight decay added to the gradient.

    Args:
        groups: parameter groups.
        learning_rate: the rate above.
        momentum: the share of the velocity that is kept.
    """

    def __init__(self, groups: list[dict[str, Any]], learning_rate: float, momentum: float) -> None:
        super().__init__(groups, {"lr": learning_rate, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one step with the gradients that the parameters have.

        Args:
            closure: computes loss and gradients anew, where one is given.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            gradients = [parameter.grad for parameter in parameters]
            velocities = [self._velocity(parameter) for parameter in parameters]
            if group["weight_decay"]:
                gradients = list(torch._foreach_add(gradients, parameters, alpha=group["weight_decay"]))
            torch._foreach_mul_(velocities, group["momentum"])
            torch._foreach_add_(velocities, gradients, alpha=-group["lr"])
            torch._foreach_add_(parameters, velocities)
        return loss

    def _velocity(self, parameter: torch.Tensor) -> torch.Tensor:
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        velocity: torch.Tensor = state["velocity"]
        return velocity


def _build(groups: list[dict[str, Any]], learning_rate: float, options: Options) -> torch.optim.Optimizer:
    return HeavyBall(groups, learning_rate, options.momentum)


OPTIMIZERS.add(
    "momentum",
    OptimizerMember(
        Options,
        _build,
        learning_rate=0.1,
        source="Polyak, Some methods of speeding up the convergence of iteration methods, 1964, https://doi.org/10.1016/0041-5553(64)90137-5",
    ),
)
