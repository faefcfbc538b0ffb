"""What a member of this folder is, and the registry that finds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neocog.registry import Registry

__all__ = ["OPTIMIZERS", "OptimizerMember", "fused"]

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class OptimizerMember:
    """One rule.

    Attributes:
        Options: frozen dataclass of its options; the docstring's first line says what the rule does.
        build: (parameter groups, learning rate, options) -> the optimizer. Each group has its "weight_decay".
        learning_rate: a first value to try.
        full_batch: one step takes the gradient over the whole training split.
        source: where the rule comes from.
    """

    Options: type
    build: Callable[[Groups, float, Any], torch.optim.Optimizer]
    learning_rate: float
    full_batch: bool = False
    source: str = ""


OPTIMIZERS: Registry[OptimizerMember] = Registry("an optimizer", "neocog.optim.optimizers")


def fused(groups: Sequence[dict[str, Any]], devices: Sequence[str] = ("cpu", "cuda", "mps")) -> bool:
    """Whether PyTorch's fused kernels can take these parameters; they do a step two to six times as fast.

    Args:
        groups: parameter groups.
        devices: where the optimizer has such kernels.
    """
    parameters = [parameter for group in groups for parameter in group["params"]]
    return all(p.is_floating_point() and p.device.type in devices for p in parameters)
