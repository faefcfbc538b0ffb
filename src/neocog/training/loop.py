"""The training loop: one readable arrow from the first step to the last."""

import math
import time
from collections.abc import Mapping

from jaxtyping import Int64
from torch import Tensor

from neocog import random
from neocog.augment import augment
from neocog.batch import Batch
from neocog.data.loader import order
from neocog.engine import forward_train, obeying
from neocog.errors import DivergedError, Interrupted
from neocog.evaluation import answers, window
from neocog.models import write_weights
from neocog.models.network import Learner
from neocog.optim import set_learning_rate
from neocog.run.folder import WEIGHTS
from neocog.training.job import Job
from neocog.training.signals import StopRequest

__all__ = ["fit", "train_epoch", "train_step", "training_batch", "validate"]

SECONDS_BETWEEN_CHECKPOINTS = 600.0


def fit(job: Job, stop: StopRequest) -> None:
    """Train from where the job stands to its last epoch.

    Raises:
        Interrupted: a signal asked for an end; a checkpoint is saved.
        DivergedError: the loss is no longer a number; the best weights are kept.
    """
    for epoch in range(job.state.epoch, job.epochs):
        if job.state.epoch != epoch:
            job.state.start_epoch(epoch)
        train_epoch(job, stop)
        metrics = validate(job, stop)
        record(job, metrics)
        job.state.start_epoch(epoch + 1)
        if stop.requested:
            raise _interrupted(job, stop)
        job.save_checkpoint()


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
    total = accumulate(job, rows)
    if not math.isfinite(total):
        raise _diverged(job, total, f"epoch {job.state.epoch + 1}, step {job.state.step + 1:,}")
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
    metrics = job.task.metrics()
    for outputs, batch in answers(job.evaluated_model, job.task, job.plan, job.material.loader, rows):
        if stop.requested:
            raise _interrupted(job, stop)
        job.task.compare(metrics, outputs, batch, job.material.dataset.target)
    values = metrics.compute()
    if not math.isfinite(loss := values.get("loss", 0.0)):
        raise _diverged(job, loss, f"the validation after epoch {job.state.epoch + 1}")
    return {f"{split}/{name}": value for name, value in values.items()}


def record(job: Job, metrics: Mapping[str, float]) -> None:
    """Write the epoch's row of metrics.csv, and the weights if they are the best so far."""
    state, measure = job.state, job.task.metrics()
    loss = state.loss_sum / max(state.pictures, 1)
    row = {"epoch": state.epoch + 1, "step": state.step, "learning_rate": job.learning_rate(state.step - 1), "train/loss": loss}
    state.rows.append({**row, **metrics, "seconds": state.seconds, "images_per_second": state.pictures / max(state.seconds, 1e-9)})
    primary, value = next((name, value) for name, value in metrics.items() if name.split("/")[1] == measure.primary)
    if state.best is None or (value >= state.best if measure.higher_is_better else value <= state.best):  # of equal epochs the last
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


def _diverged(job: Job, loss: float, where: str) -> DivergedError:
    rate = job.learning_rate(min(job.state.step, job.total_steps - 1))
    job.folder.log("diverged", step=job.state.step, loss=str(loss), learning_rate=rate)
    return DivergedError(
        "a loss that is a number",
        f"{loss} in {where}, at learning rate {rate:.3g}",
        f"train with a smaller learning rate, as --learning-rate {float(job.recipe.learning_rate or 0) / 10:.3g}",
    )
