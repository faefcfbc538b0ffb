"""An optimizer for a model, and its state as flat tensors."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from neocog.errors import RunError
from neocog.optim.optimizers import OPTIMIZERS

__all__ = ["build_optimizer", "load_optimizer_state", "optimizer_state", "set_learning_rate"]

SEPARATOR = "/"  # parameter names have dots, never slashes


def build_optimizer(
    model: nn.Module, name: str, learning_rate: float, weight_decay: float = 0.0, options: Any = None
) -> torch.optim.Optimizer:
    """The optimizer of that name over all parameters of a model that want a gradient.

    Parameters of one dimension or none (biases, scales and shifts of norms) have no weight decay.

    Args:
        model: already on the device where it trains.
        name: see `OPTIMIZERS`.
        learning_rate: the rate at factor 1 of the schedule.
        weight_decay: times the weight, added to the gradient; AdamW applies it apart.
        options: an instance of the member's Options; its defaults when None.

    Raises:
        UsageError: no optimizer has that name.
    """
    member = OPTIMIZERS[name]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return member.build(groups, learning_rate, member.Options() if options is None else options)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Let the next steps go at this rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def optimizer_state(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """What an optimizer remembers, at full precision, named "PARAMETER/QUANTITY".

    The tensors are dense, as a safetensors file wants them, and may share memory with the optimizer.
    The learning rate is not in it: it follows from the step.

    Args:
        optimizer: made by `build_optimizer` for this model.
        model: gives the parameters' names.
    """
    return {
        f"{name}{SEPARATOR}{quantity}": value.contiguous()
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
        for quantity, value in optimizer.state[parameter].items()
        if isinstance(value, Tensor)
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a fresh optimizer the memory that `optimizer_state` took from another one.

    Args:
        optimizer: made by `build_optimizer` for this model with the same choices.
        model: gives the parameters' names.
        state: as `optimizer_state` gave it.

    Raises:
        RunError: the state is of another model; nothing was loaded.
    """
    parameters = dict(model.named_parameters())
    loaded: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name, _, quantity = key.rpartition(SEPARATOR)
        if name not in parameters or value.shape not in (parameters[name].shape, ()):
            raise RunError("the optimizer's state of this model", f"{key} {list(value.shape)}", "resume the run that the state belongs to")
        loaded.setdefault(name, {})[quantity] = value
    fused = {parameter for group in optimizer.param_groups if group.get("fused") for parameter in group["params"]}
    for name, quantities in loaded.items():
        parameter = parameters[name]
        for quantity, value in quantities.items():
            optimizer.state[parameter][quantity] = _own_copy(value, parameter, parameter in fused)


def _own_copy(value: Tensor, parameter: Tensor, fused: bool) -> Tensor:
    """A copy in the parameter's memory layout; counts of steps are beside the parameter only for fused kernels."""
    if value.shape == parameter.shape and value.ndim:
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
    return value.to(parameter.device if fused else "cpu", copy=True)
