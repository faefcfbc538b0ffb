"""The batches of a training's steps: pictures of several steps are augmented together, where they are small."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.augment import augment_each, mix
from neocog.batch import Batch, join
from neocog.evaluation import window
from neocog.training.job import Job

__all__ = ["Ahead", "training_batch"]

VALUES_LOADED = 1 << 25  # of pictures that are whole in memory beside those that are kept there
VALUES_AHEAD = 1 << 20  # of pictures that are augmented together: so many stay in a processor's cache, and take few MiB


def training_batch(job: Job, rows: Int64[Tensor, "n"]) -> Batch:
    """The pictures of the given indices, augmented for the present step, on the plan's device."""
    return _mixed(job, _each(job, rows))


class Ahead:
    """The batches of an epoch's steps, the same as `training_batch` gives one by one.

    Augmentation is many short operations, which take as long for one step's small pictures as for ten steps'. What
    becomes of a picture is a function of seed, epoch and its key; mixing alone goes by the step, and waits for it.

    Args:
        job: whose; it says which step is the present one.
        steps: indices of the pictures of each of the epoch's steps that are still to do.
    """

    def __init__(self, job: Job, steps: Sequence[Int64[Tensor, "_"]]) -> None:
        self._job = job
        self._steps = steps
        self._first = job.state.steps_in_epoch
        self._ready: deque[tuple[Tensor, Batch]] = deque()

    def batch(self, rows: Int64[Tensor, "n"]) -> Batch:
        """The pictures of the given indices, a part of the present step; later ones of this step and of others are made with them."""
        if not self._ready or not torch.equal(self._ready[0][0], rows):  # the first, or a step done anew in other parts
            self._ready = deque(self._made(rows))
        return _mixed(self._job, self._ready.popleft()[1])

    def _made(self, rows: Tensor) -> Iterator[tuple[Tensor, Batch]]:
        parts = [rows]
        room = self._pictures_together - len(rows)
        for part in self._after(rows):
            room -= len(part)
            if room < 0:
                break
            parts.append(part)
        if len(parts) == 1:
            return iter([(rows, _each(self._job, rows))])
        batch = _each(self._job, torch.cat(parts))
        return zip(parts, batch.split([len(part) for part in parts]), strict=True)

    @property
    def _pictures_together(self) -> int:
        """At most; 0 where pictures have sizes of their own, so that what is together would be padded to the largest."""
        gathered = self._job.material.gathered
        return 0 if gathered is None else VALUES_AHEAD // max(gathered.pixels[:1].numel(), 1)

    def _after(self, rows: Tensor) -> Iterator[Tensor]:
        """This process's parts of the present step after the given one, and of the steps that follow."""
        found = False
        for step in islice(self._steps, self._job.state.steps_in_epoch - self._first, None):
            for part in self._job.ranks.parts(step, self._job.pictures_at_once):
                if found:
                    yield part
                found = found or torch.equal(part, rows)
            if not found:
                return


def _each(job: Job, rows: Int64[Tensor, "n"]) -> Batch:
    """Pictures, each changed for itself; whole large ones come a few at a time, as only windows of them are kept."""
    return join([_few(job, part) for part in rows.split(_loaded_together(job))])


def _loaded_together(job: Job) -> int:
    """Pictures at most."""
    dataset = job.material.dataset
    if job.material.gathered is not None or job.task.fit(training=True) != "crop":
        return len(job.shown)
    height, width = dataset.typical_size
    return max(1, VALUES_LOADED // max(height * width * dataset.channels, 1))


def _few(job: Job, rows: Tensor) -> Batch:
    batch = augment_each(
        job.material.loader.batch(rows).to(job.plan.device),
        job.augmentations,
        fit=window(job.task.fit(training=True)),
        size=job.model.preprocess.size,
        geometry=job.task.geometry,
        seed=job.recipe.seed,
        epoch=job.state.epoch,
    )
    return job.task.disturb(batch, job.recipe.seed, job.state.epoch)


def _mixed(job: Job, batch: Batch) -> Batch:
    return mix(batch, job.augmentations, seed=job.recipe.seed, epoch=job.state.epoch, step=job.state.step)
