"""Begin a training, or go on with one."""

import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from neocog._version import __version__
from neocog.data.dataset import Dataset
from neocog.data.open import open_dataset
from neocog.data.splits import require_trainable
from neocog.errors import RunError, UsageError
from neocog.evaluation import evaluate, write_predictions
from neocog.machine import this_machine
from neocog.models import read_state
from neocog.models.published import named_weights
from neocog.progress import Progress
from neocog.recipe import Recipe
from neocog.run import RunFolder, load_run
from neocog.run.folder import CURVE, METRICS, PREDICTIONS, RESTORE, WEIGHTS
from neocog.training.defaults import choose_network, with_dataset_options, with_options
from neocog.training.find_rate import find_rate as find_learning_rate
from neocog.training.find_rate import keep_curve
from neocog.training.job import Job
from neocog.training.loop import fit
from neocog.training.planning import plan_and_forecast
from neocog.training.profile import Stopwatch
from neocog.training.ranks import Ranks, open_ranks
from neocog.training.signals import StopRequest
from neocog.training.together import Follower, keeping_what_was_done, require_shares

__all__ = ["Result", "result_of", "resume", "train"]

WEIGHTS_READ = "weights read"  # an event of log.jsonl

Claimed = tuple[RunFolder, Recipe, Dataset]


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
        profile: seconds of each part of the epochs, where they were measured.
    """

    run: Path
    task: str
    model: str
    epochs: int
    seconds: float
    images_per_second: float
    plan: dict[str, Any]
    metrics: dict[str, float]
    profile: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON."""
        facts = {**asdict(self), "run": str(self.run)}
        return facts if self.profile is not None else {name: value for name, value in facts.items() if name != "profile"}


def train(
    recipe: Recipe,
    out: Path | None,
    progress: Progress,
    options: Mapping[str, Any] | None = None,
    *,
    find_rate: bool = False,
    profile: bool = False,
) -> Result:
    """Train by a recipe into a new run folder.

    Args:
        recipe: what it leaves open is chosen from the data.
        out: the run's folder; None takes the next free runs/<dataset>-<model>-<n>.
        progress: told how far it is.
        options: of whichever chosen members have fields of these names.
        find_rate: whether the learning rate is found by a short trial before the recipe is written.
        profile: whether to measure where the time of the epochs goes.

    Raises:
        UsageError: an unknown name or a wrong value; the folder is in use.
        DataError: the data cannot be used.
        SurroundingsError: no room, no memory, no permission.
        DivergedError: the loss is no longer a number.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """

    def claim(held: ExitStack) -> Claimed:
        if find_rate and recipe.learning_rate is not None:
            expected, found = "a learning rate to be found, or one that is given", f"both, {recipe.learning_rate:g}"
            raise UsageError(expected, found, "leave one of them away")
        known, left = with_dataset_options(recipe, options or {})
        dataset = open_dataset(known.dataset, task=known.task, **known.dataset_options)
        require_trainable(dataset)
        complete = with_options(choose_network(known, dataset, left), left)
        folder = RunFolder.create_next(Path("runs") / f"{dataset.name}-{complete.model}") if out is None else RunFolder.create(out)
        held.enter_context(folder.locked())
        held.callback(folder.leave_no_trace)
        folder.require_new()  # another training may have begun here since the folder was looked at
        return folder, complete, dataset

    with open_ranks() as ranks:
        return _claim_and_run(ranks, claim, progress, fresh=True, find_rate=find_rate, profile=profile)


def resume(path: Path, progress: Progress, *, profile: bool = False) -> Result:
    """Go on with a run that was stopped, to the same bits as if it had not been.

    Args:
        path: of the run's folder.
        progress: told how far it is.
        profile: whether to measure where the time of the epochs goes.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
        DataError: the data are not what the run was begun with.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """

    def claim(held: ExitStack) -> Claimed:
        folder = RunFolder.open(path)
        held.enter_context(folder.locked())
        recipe = folder.recipe()
        return folder, recipe, open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)

    with open_ranks() as ranks:
        if ranks.led(lambda: RunFolder.open(path).finished):
            if ranks.lead:
                progress.message(f"{path} has ended already; nothing to do")
            return result_of(RunFolder(path))
        return _claim_and_run(ranks, claim, progress, fresh=False, profile=profile)


def _claim_and_run(
    ranks: Ranks, claim: Callable[[ExitStack], Claimed], progress: Progress, *, fresh: bool, find_rate: bool = False, profile: bool = False
) -> Result:
    """Train in every process; the lead claims the folder, by a lock that is held until the end."""
    with ExitStack() as held:
        claimed: list[Claimed] = []

        def place() -> tuple[Path, Recipe]:
            claimed.append(claim(held))
            folder, recipe, _ = claimed[0]
            return folder.path, recipe

        path, recipe = ranks.led(place)
        make: Callable[[], Job] = partial(Follower, path, recipe, ranks, fresh=fresh)
        if claimed:
            make = partial(Job, *claimed[0], progress, fresh=fresh, ranks=ranks)
        return _run(make, path, ranks, fresh=fresh, find_rate=find_rate, profile=profile)


def _run(make: Callable[[], Job], path: Path, ranks: Ranks, *, fresh: bool, find_rate: bool, profile: bool) -> Result:
    again = ranks.resuming(path)
    with StopRequest(last_words=ranks.world > 1) as stop:
        with stop.remedied("give the command again: nothing was trained yet" if fresh else again):
            job = _begin(make, ranks, find_rate=find_rate)
        with stop.remedied(again):
            job.obey(ranks.led(partial(plan_and_forecast, job)))
            with job.logs:
                job.logs.follow(job.recipe, job.state.rows)
                if profile and ranks.lead:
                    _take_time(job)
                with stop.awaited(), keeping_what_was_done(job):
                    fit(job, stop)
                return ranks.led(partial(_finish, job))


def _take_time(job: Job) -> None:
    """Measure from here on; what was measured of earlier epochs is kept."""
    known = job.folder.profile() or {"epochs": []}
    job.stopwatch = Stopwatch(runs=True)
    job.stopwatch.start(job.plan.device, [row for row in known["epochs"] if row["epoch"] <= job.state.epoch])


def _begin(make: Callable[[], Job], ranks: Ranks, *, find_rate: bool) -> Job:
    """Read the data, the lead before the others, which may find its cache; and record every choice."""
    started = time.perf_counter()
    made: list[Job] = []

    def read() -> None:
        made.append(make())

    ranks.led(read)
    job = made[0] if made else make()
    reading = time.perf_counter() - started
    require_shares(job)
    job.recipe = ranks.led(partial(_choose_and_record, job, reading, find_rate=find_rate))
    return job


def _choose_and_record(job: Job, reading: float, *, find_rate: bool) -> Recipe:
    """The complete recipe, once it is in the run's folder with what else is known before the first step."""
    folder = job.folder
    if job.state.best is not None:
        read_state(folder.require(WEIGHTS))  # better to miss the best weights now than at the end
    curve = find_learning_rate(job) if find_rate else None
    if curve is not None:
        job.recipe = replace(job.recipe, learning_rate=curve.rate)
    job.write_choices()
    if curve is not None:
        keep_curve(curve, folder.path, f"{job.recipe.model} on {job.material.dataset.name}, {job.recipe.optimizer}")
        job.progress.message(f"learning rate {curve.rate:g}: where the loss fell fastest, see {folder.path / CURVE}")
    _say_what_is_learnt(job)
    folder.cut_back(job.state.step, job.state.rows)
    folder.log("read", step=job.state.step, pictures=len(job.material.dataset), seconds=reading)
    return job.recipe


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


def _finish(job: Job) -> Result:
    """Evaluate the best weights on the test split, else on the validation split; write predictions and manifest."""
    job.prune_checkpoints()
    splits, folder, dataset = job.splits, job.folder, job.material.dataset
    trained = load_run(folder)
    name, rows = ("test", splits.test) if len(splits.test) else ("val", splits.val)
    metrics = _best_row(job.state.rows, job.state.best_epoch)
    if len(rows):
        evaluation = evaluate(trained, job.material.loader, rows, split=name, progress=job.progress)
        metrics |= evaluation.named_metrics()
        write_predictions(folder.path / PREDICTIONS, evaluation, dataset, trained.class_names)
    job.logs.end(metrics, job.state.step)
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


def _time_and_images(folder: RunFolder, rows: list[dict[str, float]]) -> tuple[float, float]:
    """Seconds of all epochs' training steps, and pictures in them."""
    try:
        return sum(row["seconds"] for row in rows), sum(row["seconds"] * row["images_per_second"] for row in rows)
    except KeyError as error:
        raise RunError(f"{error.args[0]} of every epoch in {METRICS}", f"{folder.path / METRICS} without it", RESTORE) from error


def result_of(folder: RunFolder) -> Result:
    """What the training of a run came to, or has come to so far.

    Raises:
        RunError: a file is missing or damaged.
    """
    recipe, rows, plan = folder.recipe(), folder.metrics(), folder.plan()
    seconds, images = _time_and_images(folder, rows)
    return Result(
        run=folder.path,
        task=str(recipe.task),
        model=str(recipe.model),
        epochs=len(rows),
        seconds=seconds,
        images_per_second=images / seconds if seconds else 0.0,
        plan=plan.to_dict() if plan is not None else {},
        metrics=folder.manifest()["metrics"] if folder.finished else {},
        profile=folder.profile(),
    )
