"""Begin a training, or go on with one."""

import platform
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neocog._version import __version__
from neocog.data.dataset import Dataset
from neocog.data.open import open_dataset
from neocog.data.splits import require_trainable
from neocog.engine import Plan, choose_plan, forward_train
from neocog.engine.plan import default_plan, read_plan
from neocog.engine.probe import Choice, candidates, job_key
from neocog.engine.trial import StepTrial
from neocog.errors import UsageError
from neocog.evaluation import evaluate, write_predictions
from neocog.machine import this_machine
from neocog.models import read_state
from neocog.models.network import Learner, Network
from neocog.models.published import named_weights
from neocog.progress import Progress
from neocog.recipe import Recipe
from neocog.run import RunFolder, load_run
from neocog.run.folder import CURVE, PREDICTIONS, WEIGHTS
from neocog.training.defaults import choose_network, with_dataset_options, with_options
from neocog.training.find_rate import find_rate as find_learning_rate
from neocog.training.find_rate import keep_curve
from neocog.training.forecast import forecast, largest_micro_batch
from neocog.training.job import Job
from neocog.training.loop import fit, training_batch
from neocog.training.memory import halved, is_out_of_memory
from neocog.training.signals import StopRequest

__all__ = ["Result", "result_of", "resume", "train"]

WEIGHTS_READ = "weights read"  # an event of log.jsonl


@dataclass(frozen=True)
class Result:
    """What a training came to.

    Attributes:
        run: the run's folder.
        task, model, epochs: of the recipe.
        seconds: of all epochs' training steps.
        images_per_second: of the training steps, without probe and validation.
        plan: how it was computed.
        metrics: of the best weights: validation's, and test's where there is a test split.
    """

    run: Path
    task: str
    model: str
    epochs: int
    seconds: float
    images_per_second: float
    plan: dict[str, Any]
    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON."""
        return {**asdict(self), "run": str(self.run)}


def train(
    recipe: Recipe, out: Path | None, progress: Progress, options: Mapping[str, Any] | None = None, *, find_rate: bool = False
) -> Result:
    """Train by a recipe into a new run folder.

    Args:
        recipe: what it leaves open is chosen from the data.
        out: the run's folder; None takes the next free runs/<dataset>-<model>-<n>.
        progress: told how far it is.
        options: of whichever chosen members have fields of these names.
        find_rate: whether the learning rate is found by a short trial before the recipe is written.

    Raises:
        UsageError: an unknown name or a wrong value; the folder is in use.
        DataError: the data cannot be used.
        SurroundingsError: no room, no memory, no permission.
        DivergedError: the loss is no longer a number.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    if find_rate and recipe.learning_rate is not None:
        raise UsageError("a learning rate to be found, or one that is given", f"both, {recipe.learning_rate:g}", "leave one of them away")
    recipe, options = with_dataset_options(recipe, options or {})
    dataset = open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)
    require_trainable(dataset)
    recipe = with_options(choose_network(recipe, dataset), options)
    folder = RunFolder.create_next(Path("runs") / f"{dataset.name}-{recipe.model}") if out is None else RunFolder.create(out)
    with folder.locked():
        try:
            folder.require_new()  # another training may have begun here since the folder was looked at
            return _run(folder, recipe, dataset, progress, fresh=True, find_rate=find_rate)
        finally:
            folder.leave_no_trace()


def resume(path: Path, progress: Progress) -> Result:
    """Go on with a run that was stopped, to the same bits as if it had not been.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
        DataError: the data are not what the run was begun with.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    folder = RunFolder.open(path)
    if folder.finished:
        progress.message(f"{path} has ended already; nothing to do")
        return result_of(folder)
    with folder.locked():
        recipe = folder.recipe()
        dataset = open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)
        return _run(folder, recipe, dataset, progress, fresh=False)


def _run(folder: RunFolder, recipe: Recipe, dataset: Dataset, progress: Progress, *, fresh: bool, find_rate: bool = False) -> Result:
    again = f"neocog resume {folder.path}"
    with StopRequest() as stop:
        with stop.remedied("give the command again: nothing was trained yet" if fresh else again):
            job = _begin(folder, recipe, dataset, progress, fresh=fresh, find_rate=find_rate)
        with stop.remedied(again):
            plan = _plan(job)
            expected = forecast(job, plan)
            if expected is not None:
                job.progress.message(expected.describe())
                job.folder.log("forecast", step=job.state.step, seconds=expected.seconds, memory=expected.memory)
            job.obey(plan)
            with stop.awaited():
                fit(job, stop)
            return _finish(job)


def _begin(folder: RunFolder, recipe: Recipe, dataset: Dataset, progress: Progress, *, fresh: bool, find_rate: bool) -> Job:
    """Read the data, and record every choice."""
    started = time.perf_counter()
    job = Job(folder, recipe, dataset, progress, fresh=fresh)
    reading = time.perf_counter() - started
    if job.state.best is not None:
        read_state(folder.require(WEIGHTS))  # better to miss the best weights now than at the end
    curve = find_learning_rate(job) if find_rate else None
    if curve is not None:
        job.recipe = replace(job.recipe, learning_rate=curve.rate)
    job.write_choices()
    if curve is not None:
        keep_curve(curve, folder.path, f"{job.recipe.model} on {dataset.name}, {job.recipe.optimizer}")
        progress.message(f"learning rate {curve.rate:g}: where the loss fell fastest, see {folder.path / CURVE}")
    _say_what_is_learnt(job)
    folder.cut_back(job.state.step, job.state.rows)
    folder.log("read", step=job.state.step, pictures=len(job.material.dataset), seconds=reading)
    return job


def _say_what_is_learnt(job: Job) -> None:
    splits, dataset, recipe = job.splits, job.material.dataset, job.recipe
    counts = f"{len(splits.train):,} to train on, {len(splits.val):,} to validate, {len(splits.test):,} to test"
    job.progress.message(f"{dataset.name}: {counts}" + (f"; {len(splits.set_aside):,} set aside" if splits.set_aside else ""))
    for where, reason in splits.set_aside[:5]:
        job.progress.message(f"set aside: {where}: {reason}")
    if len(splits.set_aside) > 5:
        job.progress.message(f"set aside: {len(splits.set_aside) - 5:,} more, named in {job.folder.path / 'splits.csv'}")
    _say_what_is_worth_knowing(job)
    _say_what_it_starts_from(job)
    size = job.model.preprocess.size
    epochs = f"{job.epochs} epoch{'s' if job.epochs > 1 else ''}"
    words = f"{recipe.model} at {size[0]}x{size[1]}, {epochs}, {job.batch_size} pictures a step"
    job.progress.message(f"{words}, {recipe.optimizer}, learning rate {recipe.learning_rate:g}, {recipe.schedule}")


def _say_what_it_starts_from(job: Job) -> None:
    """Which weights, and what loading them did; nothing where there are none or a checkpoint takes their place."""
    report, given = job.model.weights_report, job.recipe.weights
    if report is None or given is None:
        return
    published = named_weights(str(job.recipe.model), given)
    terms = published.terms if published is not None else None
    job.folder.log(WEIGHTS_READ, step=0, given=given, file=str(report.path), sha256=report.digest, terms=terms)
    for line in report.lines():
        job.progress.message(line)
        job.folder.log("weights", step=0, note=line)


def _say_what_is_worth_knowing(job: Job) -> None:
    """What the splits lack, and which pictures are out of the ordinary."""
    for note in job.splits.notes:
        job.progress.message(f"note: {note}")
        job.folder.log("splits", step=0, note=note)
    counts = Counter(note.kind for note in job.material.notes)
    if counts:
        words = ", ".join(f"{kind} ({count:,})" for kind, count in counts.items())
        job.progress.message(f"note: pictures of unusual kinds, used all the same: {words}; neocog data names them")


def _plan(job: Job) -> Plan:
    """The run's plan; where it has none, the recipe's, or the fastest that is right."""
    plan = job.folder.plan()
    here = default_plan()
    if plan is None and job.state.step:
        job.progress.message("plan.json is missing: a plan is chosen anew, and what follows may differ in its last bits")
    if plan is not None and plan.machine != here.machine:
        job.progress.message("the plan was made on another machine: what follows may differ in its last bits")
        job.folder.log("other machine", step=job.state.step, machine=here.machine)
    if plan is not None and plan.possible_here:
        return plan
    choice = _choose_within_memory(job)
    job.folder.log("plan", step=job.state.step, source=choice.source, seconds=choice.seconds, discarded=choice.discarded, cost=choice.cost)
    job.progress.message(choice.describe())
    job.folder.write_plan(choice.plan)
    return choice.plan


def _choose_within_memory(job: Job) -> Choice:
    """The choice among plans with as many pictures at once as memory allows."""
    base = replace(default_plan(), micro_batch=job.recipe.micro_batch or None)
    while True:
        try:
            fitting = replace(base, micro_batch=largest_micro_batch(job, base))
            if fitting != base:
                job.progress.message(f"memory is short: {fitting.micro_batch} pictures at once")
            return _choose(job, fitting)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        base = halved(base, base.micro_batch or job.batch_size)


def _choose(job: Job, base: Plan) -> Choice:
    speed = job.recipe.speed
    if speed == "exact" or isinstance(job.model, Learner):
        return Choice(base, source="exact")
    if speed != "auto":
        plan = read_plan(Path(speed))
        if not plan.possible_here:
            raise UsageError(
                f"a plan for {base.device}, which is here", f"{plan.device} in {speed}", "give another plan, or leave speed at auto"
            )
        return Choice(plan, source=speed)
    rows = job.splits.train[: min(job.batch_size, job.pictures_at_once, base.micro_batch or job.batch_size)]
    batch = training_batch(job, rows)

    def loss(model: Network, plan: Plan) -> Tensor:
        return job.task.loss(model, forward_train(model, batch.to(plan.device).images, plan), batch.to(plan.device))["total"]

    facts = {"model": job.recipe.model, "options": job.recipe.model_options, "shape": list(batch.pixels.shape), "task": job.recipe.task}
    key = job_key(**facts, classes=job.model.num_classes, base=base.to_dict(), version=__version__)
    return choose_plan(StepTrial(job.model, loss), candidates(base), steps=job.total_steps - job.state.step, key=key)


def _finish(job: Job) -> Result:
    """Evaluate the best weights on the test split, else on the validation split; write predictions and manifest."""
    splits, folder, dataset = job.splits, job.folder, job.material.dataset
    trained = load_run(folder)
    name, rows = ("test", splits.test) if len(splits.test) else ("val", splits.val)
    metrics = _best_row(job.state.rows, job.state.best_epoch)
    if len(rows):
        evaluation = evaluate(trained, job.material.loader, rows, split=name, progress=job.progress)
        metrics |= evaluation.named_metrics()
        write_predictions(folder.path / PREDICTIONS, evaluation, dataset, trained.class_names)
    folder.write_manifest(
        {
            "neocog": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "machine": asdict(this_machine()),
            "dataset": {"name": dataset.name, "fingerprint": dataset.fingerprint(), "licence": dataset.licence},
            "weights": _weights_read(folder),
            "best_epoch": job.state.best_epoch,
            "metrics": metrics,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
    )
    return result_of(folder)


def _weights_read(folder: RunFolder) -> dict[str, Any] | None:
    """What the training started from, which a resumed one need not have read itself."""
    read = [event for event in folder.events() if event.get("event") == WEIGHTS_READ]
    return {name: read[-1].get(name) for name in ("given", "file", "sha256", "terms")} if read else None


def _best_row(rows: list[dict[str, float]], epoch: int) -> dict[str, float]:
    best: dict[str, float] = next((row for row in rows if int(row["epoch"]) == epoch), {})
    return {name: value for name, value in best.items() if "/" in name and not name.startswith("train/")}


def result_of(folder: RunFolder) -> Result:
    """What the training of a run came to, or has come to so far.

    Raises:
        RunError: a file is missing or damaged.
    """
    recipe, rows, plan = folder.recipe(), folder.metrics(), folder.plan()
    seconds = sum(row["seconds"] for row in rows)
    images = sum(row["seconds"] * row["images_per_second"] for row in rows)
    return Result(
        run=folder.path,
        task=str(recipe.task),
        model=str(recipe.model),
        epochs=len(rows),
        seconds=seconds,
        images_per_second=images / seconds if seconds else 0.0,
        plan=plan.to_dict() if plan is not None else {},
        metrics=folder.manifest()["metrics"] if folder.finished else {},
    )
