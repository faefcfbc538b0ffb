"""What a training in several processes needs beside the one in one: those that follow, and an end when one is lost."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from neocog.data.open import open_dataset
from neocog.engine import Plan
from neocog.errors import UsageError
from neocog.models.network import Learner
from neocog.optim import OPTIMIZERS
from neocog.progress import Silent
from neocog.recipe import Recipe
from neocog.run import RunFolder
from neocog.training.job import Job
from neocog.training.ranks import Ranks, is_lost, lost

__all__ = ["Follower", "keeping_what_was_done", "require_shares", "require_world"]


class Follower(Job):
    """A training in a process that does not lead: it computes as the lead does, and writes and says nothing.

    Args:
        path: of the run's folder, which all processes see.
        recipe: as the lead has it.
        ranks: the place of this process.
        fresh: see Job.
    """

    def __init__(self, path: Path, recipe: Recipe, ranks: Ranks, *, fresh: bool) -> None:
        recipe = replace(recipe, log=())
        dataset = open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)
        super().__init__(_Watched(path), recipe, dataset, Silent(), fresh=fresh, ranks=ranks)

    def keep_best(self) -> None:
        """The lead does."""

    def write_best(self) -> None:
        """The lead does."""

    def save_checkpoint(self) -> None:
        """The lead does."""


class _Watched(RunFolder):
    """A run that another process writes."""

    def write_metrics(self, rows: Sequence[Mapping[str, float]]) -> None:
        """The lead does."""

    def log(self, event: str, *, step: int = 0, **facts: Any) -> None:
        """The lead does."""

    def write_plan(self, plan: Plan) -> None:
        """The lead does."""


def require_shares(job: Job) -> None:
    """Check that the processes can share the training's steps, and have the same pictures.

    Raises:
        UsageError: steps are not of gradients, or have fewer pictures than there are processes.
        DataError: this process has other pictures than the lead.
    """
    if job.ranks.world == 1:
        return
    job.ranks.led(partial(_require_divisible, job))
    digest = hashlib.sha256(b"".join(job.material.digests))
    for rows in (job.splits.train, job.splits.val, job.splits.test):
        digest.update(rows.numpy().tobytes())
    job.ranks.require_same(digest.hexdigest(), "pictures and splits")


def _require_divisible(job: Job) -> None:
    world, name = job.ranks.world, job.recipe.optimizer
    if isinstance(job.model, Learner) or OPTIMIZERS[name].full_batch:
        found = str(job.recipe.model) if isinstance(job.model, Learner) else name
        raise UsageError(f"a training by steps of gradient, for {world} processes to share", found, "train in one process")
    fewest = len(job.shown) // job.steps_per_epoch
    if fewest < world:
        raise UsageError(f"at least {world} pictures a step, one for each process", str(fewest), "choose a larger --batch-size")


def require_world(job: Job, world: int) -> None:
    """Check that a run goes on in as many processes as it was begun with.

    Args:
        job: of this process.
        world: how many processes the run's plan is for.

    Raises:
        UsageError: they are more or fewer.
    """
    if world != job.ranks.world:
        expected = f"{world} process{'es' if world > 1 else ''}, as the run was begun with"
        raise UsageError(expected, str(job.ranks.world), replace(job.ranks, world=world).resuming(job.folder.path))


@contextlib.contextmanager
def keeping_what_was_done(job: Job) -> Iterator[None]:
    """Inside, when another process is lost, the lead saves where the training stands after the last whole step.

    Raises:
        SurroundingsError: a process was lost.
    """
    try:
        yield
    except RuntimeError as error:
        if job.ranks.world == 1 or not is_lost(error):
            raise
        job.save_checkpoint()
        job.folder.log("process lost", step=job.state.step, reason=str(error))
        raise lost(job.ranks.resuming(job.folder.path)) from error
