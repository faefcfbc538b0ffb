"""The training loop: one readable arrow from the first step to the last."""

import math
import time
from collections.abc import Mapping
from functools import partial

from jaxtyping import Int64
from torch import Tensor, nn

from neocog import random
from neocog.augment import augment
from neocog.batch import Batch
from neocog.data.loader import order
from neocog.engine import forward, forward_train, obeying
from neocog.errors import Interrupted
from neocog.evaluation import answers, window
from neocog.models import write_weights
from neocog.models.network import Learner, Network
from neocog.optim import set_learning_rate
from neocog.run.folder import WEIGHTS
from neocog.training.average import renew_norms
from neocog.training.divergence import bad_validation, not_a_number, watch_loss
from neocog.training.job import Job
from neocog.training.memory import step_within_memory
from neocog.training.signals import StopRequest

__all__ = ["fit", "train_epoch", "train_step", "training_batch", "validate"]

SECONDS_BETWEEN_CHECKPOINTS = 600.0


def fit(job: Job, stop: StopRequest) -> None:
    """Train from where the job stands to its last epoch.

    Raises:
        Interrupted: a signal asked for an end; a checkpoint is saved.
        DivergedError: the loss is no longer a number; the best weights are kept.
    """
    while job.state.epoch < job.epochs and not job.out_of_patience:
        train_epoch(job, stop)
        metrics = validate(job, stop)
        record(job, metrics)
        job.state.start_epoch(job.state.epoch + 1)
        if stop.requested:
            raise _interrupted(job, stop)
        job.save_checkpoint()
    if job.state.epoch < job.epochs:
        best, patience = job.state.better_epoch, job.recipe.patience
        job.folder.log("ended early", step=job.state.step, better_epoch=best, patience=patience)
        job.progress.message(f"ended after epoch {job.state.epoch}: nothing better than epoch {best} in {patience} epochs")


def train_epoch(job: Job, stop: StopRequest) -> None:
    """The steps of the current epoch that are still to do."""
    state, epoch = job.state, job.state.epoch
    rows = job.splits.train[order(len(job.splits.train), job.recipe.seed, epoch)]
    batches = rows.tensor_split(job.steps_per_epoch)[state.steps_in_epoch :]
    job.progress.start(f"epoch {epoch + 1} of {job.epochs}", len(rows))
    job.progress.advance(state.pictures)
    saved = time.monotonic()
    with obeying(job.plan):
        job.model.train()
        for batch in batches:
            started = time.perf_counter()
            loss = train_step(job, batch)
            state.step += 1
            state.steps_in_epoch += 1
            state.loss_sum += loss * len(batch)
            state.pictures += len(batch)
            state.seconds += time.perf_counter() - started
            job.progress.advance(len(batch), f"loss {state.loss_sum / state.pictures:.4f}")
            if stop.requested:
                raise _interrupted(job, stop)
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                job.save_checkpoint()
                saved = time.monotonic()


def train_step(job: Job, rows: Int64[Tensor, "n"]) -> float:
    """One step on the pictures of the given indices; the mean loss."""
    random.reseed(job.recipe.seed, job.state.step)
    if isinstance(job.model, Learner):
        draws = random.generator(job.recipe.seed, "learner", job.state.epoch, job.state.step)
        return float(job.model.update(training_batch(job, rows), draws).get("loss", 0.0))
    if job.optimizer is None:
        raise TypeError("a network that learns by gradient needs an optimizer")
    set_learning_rate(job.optimizer, job.learning_rate(job.state.step))
    job.optimizer.zero_grad(set_to_none=True)
    total = step_within_memory(job, rows, accumulate)
    if not math.isfinite(total):
        raise not_a_number(job, total, lambda: forward_train(job.model, training_batch(job, rows).images, job.plan))
    if job.recipe.clip_gradient:
        nn.utils.clip_grad_norm_(job.model.parameters(), job.recipe.clip_gradient)
    watch_loss(job, total)
    job.optimizer.step()
    if job.average is not None:
        job.average.update(job.model, job.state.step)
    return total


def accumulate(job: Job, rows: Int64[Tensor, "n"]) -> float:
    """Leave the gradient of a step's mean loss in the parameters; that loss.

    The parts of the step count by their weights (`Task.weight`). The sum of these is known only at the end, as
    mixing draws anew in each part; until then the number of pictures stands for it.
    """
    total = weights = 0.0
    for part in rows.split(job.pictures_at_once):
        batch = training_batch(job, part)
        weight = job.task.weight(batch)
        loss = batch_loss(job, batch)["total"] * (weight / len(rows))
        loss.backward()
        total += float(loss.detach())
        weights += weight
    if weights != len(rows):
        for parameter in job.model.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(len(rows) / weights)
    return total * (len(rows) / weights)


def training_batch(job: Job, rows: Int64[Tensor, "n"]) -> Batch:
    """The pictures of the given indices, augmented, on the plan's device."""
    return augment(
        job.material.loader.batch(rows).to(job.plan.device),
        job.augmentations,
        fit=window(job.task.fit(training=True)),
        size=job.model.preprocess.size,
        geometry=job.task.geometry,
        seed=job.recipe.seed,
        epoch=job.state.epoch,
        step=job.state.step,
    )


def batch_loss(job: Job, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss on a batch, "total" among them."""
    return job.task.loss(job.model, forward_train(job.model, batch.images, job.plan), batch)


def validate(job: Job, stop: StopRequest) -> dict[str, float]:
    """The metrics on the validation split; on the training split where there is no other.

    Raises:
        Interrupted: a signal asked for an end; the validation begins anew on resume.
        DivergedError: the loss is no longer a number.
    """
    splits = job.splits
    split, rows = ("val", splits.val) if len(splits.val) else ("train", splits.train)
    found = {}
    if job.average is not None:
        if job.recipe.renew_norms:
            _renew_norms(job)
        found = {f"{split}/{name}": value for name, value in _metrics(job, job.average.model, rows, stop).items()}
    own = _metrics(job, job.model, rows, stop)
    return found | {f"{split}/{name}{'_unaveraged' if found else ''}": value for name, value in own.items()}


def _metrics(job: Job, model: Network, rows: Int64[Tensor, "n"], stop: StopRequest) -> dict[str, float]:
    """Of one network on some pictures."""
    metrics = job.task.metrics()
    for outputs, batch in answers(model, job.task, job.plan, job.material.loader, rows):
        if stop.requested:
            raise _interrupted(job, stop)
        job.task.compare(metrics, outputs, batch, job.material.dataset.target)
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
    batches = [rows for rows in some.split(job.pictures_at_once) if len(rows) > 1]  # one picture has no variance
    with obeying(job.plan):
        renew_norms(model, [partial(forward, model, training_batch(job, rows).images, job.plan) for rows in batches])


def record(job: Job, metrics: Mapping[str, float]) -> None:
    """Write the epoch's row of metrics.csv, and the weights if they are the best so far."""
    state, measure = job.state, job.task.metrics()
    loss = state.loss_sum / max(state.pictures, 1)
    row = {"epoch": state.epoch + 1, "step": state.step, "learning_rate": job.learning_rate(state.step - 1), "train/loss": loss}
    state.rows.append({**row, **metrics, "seconds": state.seconds, "images_per_second": state.pictures / max(state.seconds, 1e-9)})
    primary, value = next((name, value) for name, value in metrics.items() if name.split("/")[1] == measure.primary)
    if state.best is None or (value >= state.best if measure.higher_is_better else value <= state.best):
        if value != state.best:
            state.better_epoch = state.epoch + 1
        state.best, state.best_epoch = value, state.epoch + 1
        save_weights(job)
    job.folder.write_metrics(state.rows)
    speed = f"{state.rows[-1]['images_per_second']:,.0f} images/s"
    job.progress.done(f"epoch {state.epoch + 1} of {job.epochs}: loss {loss:.4f}, {primary} {value:.4f}, {speed}")


def save_weights(job: Job) -> None:
    """Write weights.safetensors: the evaluated network, with what is needed to use it anywhere."""
    model, dataset = job.evaluated_model, job.material.dataset
    facts = {
        "model": job.recipe.model,
        "options": dict(job.recipe.model_options),
        "task": job.recipe.task,
        "num_classes": model.num_classes,
        "class_names": list(dataset.class_names),
        "class_ids": list(dataset.class_ids),
        "preprocess": model.preprocess.to_dict(),
        "epoch": job.state.best_epoch,
        "data_licence": dataset.licence,
    }
    write_weights(job.folder.path / WEIGHTS, model.state_dict(), facts)


def _interrupted(job: Job, stop: StopRequest) -> Interrupted:
    """Save where the training stands; the error to raise."""
    job.save_checkpoint()
    job.folder.log("interrupted", step=job.state.step, signal=stop.name)
    found = f"{stop.name} at step {job.state.step:,} of {job.total_steps:,}"
    return Interrupted("a training to its end", found, f"neocog resume {job.folder.path}")
