"""What a probe times: one step of the real job, on a copy of its network."""

import copy
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from neocog.engine.forward import prepare
from neocog.engine.plan import Plan
from neocog.models.network import Network

__all__ = ["StepTrial", "Trial"]


@runtime_checkable
class Trial(Protocol):
    """One step of the real job under some plan."""

    def prepare(self, plan: Plan, *, rounded: bool = False) -> None:
        """Get ready for steps under the plan, from the same state each time.

        Args:
            plan: how to compute.
            rounded: begin from weights that are rounded to bfloat16, still kept as float32.
        """
        ...

    def step(self) -> Tensor:
        """Do a step to its end; return the loss."""
        ...

    def gradients(self) -> Tensor:
        """Those of the last step (or whatever must agree between plans) as one vector on the processor."""
        ...


class StepTrial:
    """Forward, loss and backward on a copy of the network.

    Args:
        model: left untouched.
        loss: the loss of the copy on the real batch under a plan.
    """

    def __init__(self, model: Network, loss: Callable[[Network, Plan], Tensor]) -> None:
        self._original = self._copy = model
        self._loss = loss
        self._plan = Plan()

    def prepare(self, plan: Plan, *, rounded: bool = False) -> None:
        """See Trial."""
        self._plan = plan
        self._copy = copy.deepcopy(self._original)
        if rounded:
            with torch.no_grad():
                for parameter in self._copy.parameters():
                    parameter.copy_(parameter.bfloat16())
        prepare(self._copy, plan).train()

    def step(self) -> Tensor:
        """See Trial."""
        self._copy.zero_grad(set_to_none=True)
        loss = self._loss(self._copy, self._plan)
        loss.backward()
        return loss.detach().cpu()  # an accelerator has then done all that it was asked before

    def gradients(self) -> Tensor:
        """See Trial."""
        return torch.cat([parameter.grad.reshape(-1).float().cpu() for parameter in self._copy.parameters() if parameter.grad is not None])
