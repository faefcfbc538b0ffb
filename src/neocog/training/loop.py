"""The training loop: one readable arrow from the first step to the last."""

import math
import time
from collections.abc import Callable, Mapping
from functools import partial

from jaxtyping import Int64
from torch import Tensor, nn

from neocog import random
from neocog.batch import Batch
from neocog.data.loader import order
from neocog.engine import forward, forward_train, obeying
from neocog.errors import Interrupted
from neocog.evaluation import answers
from neocog.models.network import Learner, Network
from neocog.optim import set_learning_rate
from neocog.tasks import Watches
from neocog.training.average import renew_norms
from neocog.training.batches import Ahead, training_batch
from neocog.training.divergence import bad_validation, not_a_number, watch_loss
from neocog.training.job import Job
from neocog.training.memory import agreed, step_within_memory
from neocog.training.signals import StopRequest

__all__ = ["fit", "train_epoch", "train_step", "validate"]

SECONDS_BETWEEN_CHECKPOINTS = 600.0
VALIDATED = (512, 512)  # pixels: of a larger picture that is to be restored, a window tells as much in less time


def fit(job: Job, stop: StopRequest) -> None:
    """Train from where the job stands to its last epoch.

    Raises:
        Interrupted: a signal asked for an end; a checkpoint is saved.
        DivergedError: the loss is no longer a number; the best weights are kept.
    """
    try:
        while job.state.epoch < job.epochs and not job.out_of_patience:
            train_epoch(job, stop)
            with job.stopwatch.part("validation"):
                metrics = validate(job, stop)
            record(job, metrics)
            job.state.start_epoch(job.state.epoch + 1)
            if job.ranks.agree(stop.requested):
                raise _interrupted(job, stop)
            if job.is_to_be_saved:
                job.save_checkpoint()
            if job.stopwatch.runs:
                job.stopwatch.end_epoch(job.state.epoch)
                job.folder.write_profile(job.stopwatch.to_dict())
    finally:
        job.write_best()
    if job.state.epoch < job.epochs:
        best, patience = job.state.better_epoch, job.recipe.patience
        job.folder.log("ended early", step=job.state.step, better_epoch=best, patience=patience)
        job.progress.message(f"ended after epoch {job.state.epoch}: nothing better than epoch {best} in {patience} epochs")


def train_epoch(job: Job, stop: StopRequest) -> None:
    """The steps of the current epoch that are still to do."""
    state, epoch = job.state, job.state.epoch
    with job.stopwatch.part("input"):
        rows = job.shown[order(len(job.shown), job.recipe.seed, epoch)]
        batches = rows.tensor_split(job.steps_per_epoch)[state.steps_in_epoch :]
        ahead = Ahead(job, batches)
    job.progress.start(f"epoch {epoch + 1} of {job.epochs}", len(rows))
    job.progress.advance(state.pictures)
    saved = time.monotonic()
    with obeying(job.plan):
        job.model.train()
        for batch in batches:
            started = time.perf_counter()
            loss = train_step(job, batch, ahead.batch)
            state.step += 1
            state.steps_in_epoch += 1
            state.loss_sum += loss * len(batch)
            state.pictures += len(batch)
            state.seconds += time.perf_counter() - started
            job.progress.advance(len(batch), f"loss {state.loss_sum / state.pictures:.4f}")
            if job.ranks.agree(stop.requested):
                raise _interrupted(job, stop)
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS and job.budget.allows:
                job.save_checkpoint()
                saved = time.monotonic()


def train_step(job: Job, rows: Int64[Tensor, "n"], batch_of: Callable[[Tensor], Batch]) -> float:
    """One step; the mean loss.

    Args:
        job: whose network moves.
        rows: indices of the step's pictures, of all processes together.
        batch_of: makes the batch of some of them.
    """
    random.reseed(job.recipe.seed, job.state.step, job.ranks.rank)
    if isinstance(job.model, Learner):
        draws = random.generator(job.recipe.seed, "learner", job.state.epoch, job.state.step)
        with job.stopwatch.part("input"):
            batch = batch_of(rows)
        with job.stopwatch.part("optimizer"):
            return float(job.model.update(batch, draws).get("loss", 0.0))
    if job.optimizer is None:
        raise TypeError("a network that learns by gradient needs an optimizer")
    with job.stopwatch.part("optimizer"):
        set_learning_rate(job.optimizer, job.learning_rate(job.state.step))
        job.optimizer.zero_grad(set_to_none=True)
    total = step_within_memory(job, rows, partial(accumulate, batch_of=batch_of))
    if not math.isfinite(total):
        own = job.ranks.parts(rows, len(rows))[0]
        raise not_a_number(job, total, lambda: forward_train(job.model, training_batch(job, own).images, job.plan))
    watch_loss(job, total)
    with job.stopwatch.part("optimizer"):
        if job.recipe.clip_gradient:
            nn.utils.clip_grad_norm_(job.model.parameters(), job.recipe.clip_gradient)
        job.optimizer.step()
    if job.average is not None:
        with job.stopwatch.part("average"):
            job.average.update(job.model, job.state.step)
    return total


def accumulate(job: Job, rows: Int64[Tensor, "n"], batch_of: Callable[[Tensor], Batch]) -> float:
    """Leave the gradient of a step's mean loss in the parameters; that loss.

    The parts of the step count by their weights (`Task.weight`). The sum of these is known only at the end, as
    mixing draws anew in each part; until then the number of pictures stands for it. Several processes do their
    shares at once, and add up.
    """
    total, weights = agreed(job, partial(_accumulate_share, job, rows, batch_of))
    job.ranks.add_up_gradients(job.model)
    if weights != len(rows):
        for parameter in job.model.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(len(rows) / weights)
    return total * (len(rows) / weights)


def _accumulate_share(job: Job, rows: Int64[Tensor, "n"], batch_of: Callable[[Tensor], Batch]) -> tuple[float, float]:
    """This process's part of a step's loss and of its weights."""
    total = weights = 0.0
    for part in job.ranks.parts(rows, job.pictures_at_once):
        with job.stopwatch.part("input"):
            batch = batch_of(part)
            weight = job.task.weight(batch)
        with job.stopwatch.part("forward"):
            loss = batch_loss(job, job.attacked(job.model, job.plan, batch))["total"] * (weight / len(rows))
        with job.stopwatch.part("backward"):
            loss.backward()
        total += float(loss.detach())
        weights += weight
    return total, weights


def batch_loss(job: Job, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss on a batch, "total" among them."""
    return job.task.loss(job.model, forward_train(job.model, batch.images, job.plan), batch)


def validate(job: Job, stop: StopRequest) -> dict[str, float]:
    """The metrics on the validation split; on the training split where there is no other.

    Of several processes the lead alone validates.

    Raises:
        Interrupted: a signal asked for an end; the validation begins anew on resume.
        DivergedError: the loss is no longer a number.
    """
    if job.average is not None and job.recipe.renew_norms:
        with job.stopwatch.part("average"):
            _renew_norms(job)
    return job.ranks.led(partial(_validated, job, stop))


def _validated(job: Job, stop: StopRequest) -> dict[str, float]:
    splits = job.splits
    split, rows = ("val", splits.val) if len(splits.val) else ("train", splits.train)
    found = {}
    if job.average is not None:
        found = {f"{split}/{name}": value for name, value in _metrics(job, job.average.model, rows, stop).items()}
    own = _metrics(job, job.model, rows, stop)
    return found | {f"{split}/{name}{'_unaveraged' if found else ''}": value for name, value in own.items()}


def _metrics(job: Job, model: Network, rows: Int64[Tensor, "n"], stop: StopRequest) -> dict[str, float]:
    """Of one network on some pictures."""
    metrics = job.task.watched() if isinstance(job.task, Watches) else job.task.metrics()
    for outputs, batch in answers(model, job.task, job.plan, job.material.loader, rows, largest=VALIDATED):
        if stop.requested:
            raise _interrupted(job, stop)
        job.task.compare(metrics, outputs, batch, job.material.loader.truth)
    values: dict[str, float] = metrics.compute()
    if not math.isfinite(loss := values.get("loss", 0.0)):
        raise bad_validation(job, loss)
    return values


def _renew_norms(job: Job) -> None:
    """Estimate the statistics of the averaged weights' batch norms on some training pictures."""
    if job.average is None:
        return
    model, train = job.average.model, job.splits.train
    some = train[order(len(train), job.recipe.seed, job.state.epoch)[: job.recipe.renew_norms]]
    parts = job.ranks.parts(some, job.pictures_at_once)
    batches = [rows for rows in parts if len(rows) > 1 or job.ranks.world > 1]  # one picture in all has no variance
    with obeying(job.plan):
        renew_norms(model, [partial(forward, model, training_batch(job, rows).images, job.plan) for rows in batches])


def record(job: Job, metrics: Mapping[str, float]) -> None:
    """Write the epoch's row of metrics.csv, and the weights if they are the best so far."""
    state, measure = job.state, job.task.metrics()
    loss = state.loss_sum / max(state.pictures, 1)
    row = {"epoch": state.epoch + 1, "step": state.step, "learning_rate": job.learning_rate(state.step - 1), "train/loss": loss}
    state.rows.append({**row, **metrics, "seconds": state.seconds, "images_per_second": state.pictures / max(state.seconds, 1e-9)})
    primary, value = next((name, value) for name, value in metrics.items() if name.split("/")[1] == measure.primary)
    is_best = state.best is None or (value >= state.best if measure.higher_is_better else value <= state.best)
    if is_best:
        if value != state.best:
            state.better_epoch = state.epoch + 1
        state.best, state.best_epoch = value, state.epoch + 1
    job.end_epoch(is_best=is_best)
    job.folder.write_metrics(state.rows)
    job.logs.follow(job.recipe, state.rows)
    speed = f"{state.rows[-1]['images_per_second']:,.0f} images/s"
    job.progress.done(f"epoch {state.epoch + 1} of {job.epochs}: loss {loss:.4f}, {primary} {value:.4f}, {speed}")


def _interrupted(job: Job, stop: StopRequest) -> Interrupted:
    """Save where the training stands; the error to raise."""
    job.save_checkpoint()
    job.folder.log("interrupted", step=job.state.step, signal=stop.name)
    found = f"{stop.name or 'a signal to another process'} at step {job.state.step:,} of {job.total_steps:,}"
    return Interrupted("a training to its end", found, job.ranks.resuming(job.folder.path))
