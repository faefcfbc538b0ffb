"""What a training will need, from a dry step on a copy of its network: time, memory, and how many pictures fit at once."""

import copy
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from neocog.engine import Plan, forward_train, obeying, prepare
from neocog.machine import available_memory, memory_of
from neocog.models import saved_for_backward
from neocog.models.network import Learner, Network
from neocog.optim import OPTIMIZERS, build_optimizer
from neocog.options import options_of
from neocog.training.batches import training_batch
from neocog.training.job import Job

__all__ = ["Forecast", "batch_loss_of", "forecast", "largest_micro_batch", "optimizer_of"]

FEWEST_STEPS = 20  # of a training that is worth two dry ones
SHARE_OF_A_STEP = 1 / 3  # that a picture costs in validation: a forward pass without the backward one, which is twice as much
SHARE_OF_MEMORY = 0.8  # that a step may take of what is free
SAMPLE = (2, 4)  # pictures; what a step keeps grows in proportion to them


@dataclass(frozen=True)
class Forecast:
    """What is to be expected.

    Attributes:
        seconds: from now to the last epoch's end.
        memory: bytes that training takes at its peak beyond what the process holds now.
        available: bytes that can be had.
    """

    seconds: float
    memory: int
    available: int

    def describe(self) -> str:
        """One line for the person."""
        minutes, seconds = divmod(round(self.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        span = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
        return f"forecast: {span} to the end, {self.memory / 2**30:.2f} GiB more memory at the peak ({self.available / 2**30:.1f} GiB free)"


def forecast(job: Job, plan: Plan) -> Forecast | None:
    """Two dry steps under a plan, the second timed; None where the training is too short for it or has no steps of gradient.

    Everything that the steps change is a copy's; the random state is afterwards as before. In main memory what the steps
    were seen to take counts where it is more than the sum of what they keep: kernels and libraries have needs of their own.
    """
    steps = job.total_steps - job.state.step
    if isinstance(job.model, Learner) or steps < FEWEST_STEPS:
        return None
    pictures = -(-min(job.batch_size, len(job.shown)) // job.ranks.world)
    at_once = min(plan.micro_batch or pictures, pictures)
    available = available_memory()
    (seconds, kept), seen = memory_of(partial(_try, job, plan, at_once))
    step = seconds * pictures / at_once
    memory = max(kept, seen) if plan.device == "cpu" else kept
    epochs = job.epochs - job.state.epoch
    validation = epochs * max(len(job.splits.val), 1) * SHARE_OF_A_STEP * step / pictures
    return Forecast(steps * step + validation, memory, available)


def _try(job: Job, plan: Plan, pictures: int) -> tuple[float, int]:
    """Seconds of a step with so many pictures, and the bytes that it keeps."""
    with torch.random.fork_rng(range(torch.cuda.device_count())), obeying(plan):
        model = prepare(copy.deepcopy(job.model), plan).train()
        optimizer = optimizer_of(job, model)
        _dry_step(job, model, optimizer, plan, pictures)
        started = time.perf_counter()
        _dry_step(job, model, optimizer, plan, pictures)
        seconds = time.perf_counter() - started
        state = _weights_and_state(model, optimizer, averaged=bool(job.recipe.ema or job.recipe.lookahead))
        return seconds, round(state + pictures * _kept_per_picture(job, model, plan))


def largest_micro_batch(job: Job, plan: Plan) -> int | None:
    """How many pictures may pass through the network at once; None where a whole step's may.

    It is the largest half, quarter, eighth, … of a step's pictures that takes no more than `SHARE_OF_MEMORY` of
    what is free.
    """
    pictures = at_once = min(plan.micro_batch or -(-job.batch_size // job.ranks.world), len(job.shown))
    if isinstance(job.model, Learner) or pictures <= SAMPLE[-1]:
        return plan.micro_batch
    with torch.random.fork_rng(range(torch.cuda.device_count())), obeying(plan):
        model = prepare(copy.deepcopy(job.model), plan).train()
        each = _kept_per_picture(job, model, plan)
    kept = 4 * _bytes(model)  # gradients, and up to two numbers of the optimizer for each weight
    room = SHARE_OF_MEMORY * _free(plan, job.ranks.world) - kept
    while at_once > 1 and at_once * each > room:
        at_once = (at_once + 1) // 2
    return plan.micro_batch if at_once == pictures else at_once


def _kept_per_picture(job: Job, model: Network, plan: Plan) -> float:
    """Bytes that a step keeps for each further picture."""
    few, more = (min(count, len(job.shown)) for count in SAMPLE)
    loss = partial(batch_loss_of, job, model, plan, attacks=False)  # what an attack keeps is gone before the step's own pass
    sizes = [saved_for_backward(partial(loss, job.shown[:count])) for count in (few, more)]
    return (sizes[1] - sizes[0]) / max(more - few, 1)


def _dry_step(job: Job, model: Network, optimizer: torch.optim.Optimizer, plan: Plan, pictures: int) -> None:
    optimizer.zero_grad(set_to_none=True)
    batch_loss_of(job, model, plan, job.shown[:pictures]).backward()
    optimizer.step()


def batch_loss_of(job: Job, model: Network, plan: Plan, rows: Int64[Tensor, "n"], *, attacks: bool = True) -> Tensor:
    """The loss of a copy of the job's network on the pictures of the given indices; of an adversarial training after its attack."""
    batch = training_batch(job, rows).to(plan.device)
    if attacks:
        batch = job.attacked(model, plan, batch)
    return job.task.loss(model, forward_train(model, batch.images, plan), batch)["total"]


def optimizer_of(job: Job, model: Network) -> torch.optim.Optimizer:
    """The recipe's optimizer for a copy of the job's network, at rate and decay 0."""
    name = job.recipe.optimizer
    options: Any = options_of(OPTIMIZERS[name].Options, job.recipe.optimizer_options, f"the optimizer {name}")
    return build_optimizer(model, name, 0.0, 0.0, options)


def _weights_and_state(model: Network, optimizer: torch.optim.Optimizer, *, averaged: bool) -> int:
    """Gradients, the optimizer's state and averaged weights; the weights themselves are there already."""
    state = sum(_size(value) for values in optimizer.state.values() for value in values.values() if isinstance(value, Tensor))
    return _bytes(model) * (2 if averaged else 1) + state


def _bytes(model: nn.Module) -> int:
    return sum(_size(parameter) for parameter in model.parameters())


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _free(plan: Plan, world: int) -> int:
    """Bytes for one of the processes; main memory they share."""
    return torch.cuda.mem_get_info()[0] if plan.device == "cuda" else available_memory() // world
