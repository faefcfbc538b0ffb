"""When a training runs away: noticed, located, and ended with the rate to try instead."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neocog.errors import DivergedError
from neocog.random import reseed
from neocog.training.job import Job

__all__ = ["bad_validation", "first_bad_value", "not_a_number", "watch_loss"]

LONG = 200  # steps, or an epoch where that is longer
LESS = 10  # how many times smaller the suggested learning rate is


def not_a_number(job: Job, loss: float, forward: Callable[[], Any]) -> DivergedError:
    """The error of a step whose loss is not finite.

    Args:
        job: where the training stands.
        loss: NaN or infinite.
        forward: runs the network as the step did.
    """
    reseed(job.recipe.seed, job.state.step, job.ranks.rank)  # dropout as in the step
    place = first_bad_value(job.model, forward)
    return _diverged(job, "a loss that is a number", f"{loss} in {_step(job)}{f', first in {place}' if place else ''}", layer=place)


def bad_validation(job: Job, loss: float) -> DivergedError:
    """The error of a validation whose loss is not finite."""
    place = _bad_tensor(job.evaluated_model)
    where = f"{loss} in the validation after epoch {job.state.epoch + 1}"
    return _diverged(job, "a loss that is a number", f"{where}{f', first in {place}' if place else ''}", layer=place)


def watch_loss(job: Job, loss: float) -> None:
    """Take in the loss of a step.

    Raises:
        DivergedError: the loss has been above the first step's for `LONG` steps in a row, and for an epoch.
    """
    state = job.state
    if state.start_loss is None:
        state.start_loss = loss
    state.steps_above = state.steps_above + 1 if loss > state.start_loss else 0
    if state.steps_above >= max(LONG, job.steps_per_epoch):
        found = f"{loss:.4g} in {_step(job)}, and more than {state.start_loss:.4g} in the {state.steps_above:,} steps up to it"
        raise _diverged(job, "a loss that falls below that of the first step", found, layer="")


def first_bad_value(model: nn.Module, forward: Callable[[], Any]) -> str:
    """Where a network's first value that is not finite comes from: a weight, else the output of a layer; "" where all are finite.

    Args:
        model: the network.
        forward: runs it.
    """
    if place := _bad_tensor(model):
        return place
    places: list[str] = []

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if not places and isinstance(output, Tensor) and not output.isfinite().all():
                places.append(f"the output of {name}")

        return hook

    leaves = [(name, module) for name, module in model.named_modules() if not any(True for _ in module.children())]
    handles = [module.register_forward_hook(note(name)) for name, module in leaves]
    try:
        with torch.no_grad():
            forward()
    finally:
        for handle in handles:
            handle.remove()
    return places[0] if places else ""


def _bad_tensor(model: nn.Module) -> str:
    for name, tensor in model.state_dict().items():
        if not tensor.isfinite().all():
            return f"the weights {name}"
    return ""


def _step(job: Job) -> str:
    return f"epoch {job.state.epoch + 1}, step {job.state.step + 1:,}"


def _diverged(job: Job, expected: str, found: str, *, layer: str) -> DivergedError:
    """The error, after it was recorded; the best weights so far stay."""
    state = job.state
    rate = job.learning_rate(min(state.step, job.total_steps - 1))
    job.folder.log("diverged", step=state.step, found=found, learning_rate=rate, layer=layer)
    smaller = float(job.recipe.learning_rate or 0) / LESS
    kept = f"; the weights of epoch {state.best_epoch} are kept" if state.best_epoch else ""
    remedy = f"train with a smaller learning rate, as --learning-rate {smaller:.3g}{kept}"
    return DivergedError(expected, f"{found}, at learning rate {rate:.3g}", remedy)
