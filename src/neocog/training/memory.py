"""A step that does not fit into memory is done in smaller parts, from the same state."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.engine import Plan
from neocog.errors import SurroundingsError
from neocog.layers import SynchronisedBatchNorm2d
from neocog.models.network import Network
from neocog.random import reseed
from neocog.training.job import Job

__all__ = ["agreed", "halved", "is_out_of_memory", "step_within_memory"]

SIGNS = ("can't allocate memory", "out of memory", "could not create a memory", "could not allocate")
"""What torch's allocators and oneDNN say; only CUDA's allocator has an error class of its own."""


class ShortSomewhere(MemoryError):
    """Memory is at its end in one process at least, and all of them know."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is at its end."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def halved(plan: Plan, pictures: int) -> Plan:
    """The plan with half as many pictures at once.

    Args:
        plan: under which memory was at its end.
        pictures: that passed through the network at once.

    Raises:
        SurroundingsError: it was one picture.
    """
    if pictures <= 1:
        raise SurroundingsError(
            "memory for a step with one picture", "not enough", "choose a smaller image size or network, or close other programs"
        )
    return replace(plan, micro_batch=(pictures + 1) // 2)


def agreed(job: Job, share: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """The sums of two numbers of every process, once all have done their shares of a step.

    Args:
        job: of this process.
        share: does this process's, and gives its numbers.

    Raises:
        ShortSomewhere: a process has no memory for its share. Where batch norms are synchronised it cannot say so, as
            the others wait for its statistics; its own error comes then.
    """
    numbers, short = (0.0, 0.0), False
    try:
        numbers = share()
    except (RuntimeError, MemoryError) as error:
        if job.ranks.world == 1 or _waits(job.model) or not is_out_of_memory(error):
            raise
        short = True
    first, second, failed = job.ranks.add_up([*numbers, float(short)])
    if failed:
        raise ShortSomewhere(f"memory is at its end in {failed:.0f} of {job.ranks.world} processes")
    return first, second


def _waits(model: Network) -> bool:
    """Whether the processes wait for one another within a step."""
    return any(isinstance(module, SynchronisedBatchNorm2d) for module in model.modules())


def step_within_memory(job: Job, rows: Int64[Tensor, "n"], accumulate: Callable[[Job, Int64[Tensor, "n"]], float]) -> float:
    """Accumulate a step's gradient; where memory does not suffice, with half as many pictures at once, again and again.

    The smaller plan is recorded before it is used, and a checkpoint before the plan, so that a resumed training
    divides the same steps in the same way. After an error network and plan are as before the step. Several
    processes do a step again together.

    Args:
        job: its network's statistics and gradients are those of the step afterwards.
        rows: the step's pictures.
        accumulate: leaves the gradient of the pictures in the network, and gives the loss.

    Raises:
        SurroundingsError: one picture alone is too much, or other processes wait for this one within the step.
    """
    before = [buffer.clone() for buffer in job.model.buffers()]
    while True:
        try:
            return accumulate(job, rows)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                _restore(job.model, before)
                raise
            alone = job.ranks.world > 1 and not isinstance(error, ShortSomewhere)
        # Outside of the handler, which holds the tensors of the failed step.
        _restore(job.model, before)
        plan = halved(job.plan, min(job.pictures_at_once, len(rows)))
        if alone:
            remedy = f"train anew with fewer pictures at once, as --micro-batch {plan.micro_batch}, or in fewer processes"
            raise SurroundingsError("memory for a step in every process", f"none left in process {job.ranks.rank}", remedy)
        reseed(job.recipe.seed, job.state.step, job.ranks.rank)
        job.save_checkpoint()
        job.folder.write_plan(plan)
        job.plan = plan
        job.folder.log("out of memory", step=job.state.step, micro_batch=plan.micro_batch)
        job.progress.message(f"memory is short: from step {job.state.step + 1:,} on {plan.micro_batch} pictures at once")


def _restore(model: Network, buffers: Sequence[Tensor]) -> None:
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for buffer, kept in zip(model.buffers(), buffers, strict=True):
            buffer.copy_(kept)
