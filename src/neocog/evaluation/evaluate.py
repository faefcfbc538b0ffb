"""Evaluate a network, or several together, on some pictures of a dataset."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.data.loader import Loader
from neocog.evaluation.classes import in_classes, target_in_classes
from neocog.evaluation.cost import Cost, Stopwatch
from neocog.evaluation.ensemble import Asked, Ensemble, Member, ask, assemble
from neocog.evaluation.noise import noise_of
from neocog.evaluation.packed import Packed, pack
from neocog.metrics.base import ByClass, Metrics
from neocog.metrics.classification import ClassificationMetrics, PerClass, bootstrap_interval
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Label, Labels, Prediction, Target
from neocog.tasks import Judges, Task

__all__ = ["TOP", "Baseline", "Evaluation", "MemberEvaluation", "Ranked", "evaluate", "evaluate_together"]

TOP = 5


class Ranked(NamedTuple):
    """What is kept of a classification's predictions, in the network's classes; all probabilities would fill the memory.

    Attributes:
        answers: the class given to each picture.
        truth: the class of each picture's label.
        classes: the five most probable ones of each picture, the most probable first; fewer where there are fewer.
        probabilities: theirs, in [0, 1].
    """

    answers: Int64[Tensor, "n"]
    truth: Int64[Tensor, "n"]
    classes: Int64[Tensor, "n t"]
    probabilities: Float[Tensor, "n t"]


@dataclass(frozen=True)
class MemberEvaluation:
    """What one network of an ensemble answered by itself.

    Attributes:
        run: its folder; None for a network that was made on the spot.
        model: name of its architecture.
        metrics: by name, without the split, of the mean over the views.
        first_view: the same of the first view alone.
        seconds: for all views, without reading the pictures.
    """

    run: Path | None
    model: str
    metrics: dict[str, float]
    first_view: dict[str, float]
    seconds: float

    @property
    def name(self) -> str:
        """The run's folder, or the architecture."""
        return str(self.run or self.model)


@dataclass(frozen=True)
class Baseline:
    """What a method that is not learnt came to on the same pictures.

    Attributes:
        method: its name.
        settings: in a few words.
        psnr: mean in decibels.
        ssim: mean.
        seconds: for all pictures.
    """

    method: str
    settings: str
    psnr: float
    ssim: float
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """What a network, or several together, answered about a split.

    Attributes:
        split: "train", "val", "test" or "all".
        metrics: by name, without the split.
        sums: what the metrics were computed from; for classification it has the confusion matrix.
        indices: which pictures of the dataset.
        predictions: one for each picture, in the order of `indices`.
        seconds: from the first picture to the last.
        members: each network by itself, the one that was asked first.
        views: names of the views that each picture was seen in; empty where it was seen once.
        cost: of the members and the views.
        baselines: of a denoising, what classical methods came to.
        noise: of a denoising, what was added to the pictures, see `Denoise.noise_choices`; None where they had theirs.
        notes: what a person should know before believing the metrics.
        files: what was written of it.
    """

    split: str
    metrics: dict[str, float]
    sums: Metrics[Any, Any]
    indices: Int64[Tensor, "n"]
    predictions: Ranked | tuple[Packed | Prediction, ...]
    seconds: float
    members: tuple[MemberEvaluation, ...]
    views: tuple[str, ...]
    cost: Cost
    baselines: tuple[Baseline, ...] = ()
    noise: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    def named_metrics(self) -> dict[str, float]:
        """The metrics under their full names ("test/accuracy")."""
        return self._named(self.metrics)

    def interval(self) -> tuple[float, float] | None:
        """The 95 % bootstrap interval of a classification's accuracy; None for other tasks."""
        if not isinstance(self.sums, ClassificationMetrics):
            return None
        right = int(self.sums.confusion.diagonal().sum())
        return bootstrap_interval(right, len(self.indices))

    def per_class(self) -> PerClass | None:
        """Precision, recall and number of pictures of each of the network's classes; None for other tasks."""
        return self.sums.per_class() if isinstance(self.sums, ClassificationMetrics) else None

    def class_rows(self, class_names: Sequence[str]) -> list[dict[str, Any]]:
        """The figures of each of the network's classes that occurs, by name; empty for a task without such."""
        return self.sums.class_rows(class_names) if isinstance(self.sums, ByClass) else []

    def averaging(self) -> dict[str, Any]:
        """What JSON says of the members, the views, and their cost."""
        members = [
            {
                "run": None if member.run is None else str(member.run),
                "model": member.model,
                "metrics": self._named(member.metrics),
                "first_view": self._named(member.first_view),
                "seconds": member.seconds,
            }
            for member in self.members
        ]
        return {"members": members, "views": list(self.views), "cost": self.cost.to_dict(), "notes": list(self.notes)}

    def _named(self, metrics: dict[str, float]) -> dict[str, float]:
        return {f"{self.split}/{name}": value for name, value in metrics.items()}


def evaluate(
    trained: Trained,
    loader: Loader,
    indices: Int64[Tensor, "n"],
    *,
    split: str = "all",
    classes: Int64[Tensor, "k"] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Ask a network about some pictures whose targets are known.

    Args:
        trained: the network and its task.
        loader: of the dataset.
        indices: which pictures.
        split: what they are called.
        classes: see `answers`.
        progress: told of every batch.
    """
    return evaluate_together(assemble([trained]), [loader], indices, split=split, classes=classes, progress=progress)


def evaluate_together(
    ensemble: Ensemble,
    loaders: Sequence[Loader],
    indices: Int64[Tensor, "n"],
    *,
    split: str = "all",
    classes: Int64[Tensor, "k"] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Ask several networks, or one in several views, and take the mean of their answers.

    Args:
        ensemble: the networks and the views.
        loaders: of the same dataset, for each member one that reads as the member wants.
        indices: which pictures.
        split: what they are called.
        classes: for each class of the dataset that of the ensemble; see `answers`.
        progress: told of every batch.
    """
    progress = progress or Silent()
    task = ensemble.first.task

    def target(key: int) -> Target:
        return target_in_classes(loaders[0].truth(key), classes)

    sums = task.metrics()
    tallies = [_Tally(ensemble, member) for member in ensemble.members]
    predictions: list[Packed | Prediction] = []
    ranked: list[Ranked] = []
    started = time.perf_counter()
    progress.start(f"evaluating {split}", len(indices))
    for outputs, asked in _answers(ensemble, loaders, indices, classes, tallies):
        outputs, batch = ensemble.refined(outputs, asked[0].batch, loaders[0].dataset.picture)
        task.compare(sums, outputs, batch, target)
        for tally, one in zip(tallies, asked, strict=True):
            tally.take(one, target)
        decoded = task.decode(outputs, batch)
        if isinstance(batch.targets, Labels):
            ranked.append(_ranked(decoded, batch.targets))
        else:
            predictions += [_packed(task, prediction, target(key)) for prediction, key in zip(decoded, batch.keys.tolist(), strict=True)]
        progress.advance(len(batch))
    progress.done()
    seconds = time.perf_counter() - started
    kept = Ranked(*(torch.cat(column) for column in zip(*ranked, strict=True))) if ranked else tuple(predictions)
    metrics = sums.compute()
    members = tuple(tally.result(metrics) for tally in tallies)
    cost = Cost.of([tally.watch for tally in tallies])
    noise = noise_of(task, loaders[0].dataset)
    return Evaluation(split, metrics, sums, indices, kept, seconds, members, ensemble.views, cost, noise=noise)


def _packed(task: Task, prediction: Prediction, target: Target) -> Packed | Prediction:
    return pack(prediction, task.judged(prediction, target) if isinstance(task, Judges) else {})


class _Tally:
    """What is counted of one member. Where its answers are the ensemble's, or its views one, nothing is counted twice."""

    def __init__(self, ensemble: Ensemble, member: Member) -> None:
        self.member = member
        self.watch = Stopwatch(warm=not ensemble.averages)  # where nothing is compared, there is no need to warm up
        self._task = ensemble.first.task
        self._own = self._task.metrics() if len(ensemble.members) > 1 else None
        self._first_view = self._task.metrics() if ensemble.views else None

    def take(self, asked: Asked, truth: Any) -> None:
        """Count the answers about one batch."""
        for sums, outputs in ((self._own, asked.outputs), (self._first_view, asked.first_view)):
            if sums is not None:
                self._task.compare(sums, outputs, asked.batch, truth)

    def result(self, metrics: dict[str, float]) -> MemberEvaluation:
        """What came of it.

        Args:
            metrics: of the ensemble.
        """
        trained = self.member.trained
        own = metrics if self._own is None else self._own.compute()
        first_view = own if self._first_view is None else self._first_view.compute()
        run = None if trained.folder is None else trained.folder.path
        return MemberEvaluation(run, trained.name, own, first_view, self.watch.whole)


def _answers(
    ensemble: Ensemble, loaders: Sequence[Loader], indices: Tensor, classes: Tensor | None, tallies: Sequence[_Tally]
) -> Iterator[tuple[Tensor, list[Asked]]]:
    """The mean of the answers about each batch, and each member's."""
    task = ensemble.first.task
    for rows in indices.split(ensemble.pictures_at_once):
        asked = [
            ask(tally.member, task.disturb(in_classes(loader.batch(rows), classes), 0, None), ensemble.views, tally.watch)
            for loader, tally in zip(loaders, tallies, strict=True)
        ]
        yield ensemble.average([one.outputs for one in asked]), asked


def _ranked(predictions: Sequence[Prediction], labels: Labels) -> Ranked:
    answers = [prediction.answer.index for prediction in predictions if isinstance(prediction.answer, Label)]
    scores = torch.stack([prediction.scores for prediction in predictions if prediction.scores is not None])
    top = scores.topk(min(TOP, scores.shape[1]))
    return Ranked(torch.tensor(answers, dtype=torch.int64), labels.classes.cpu(), top.indices, top.values)
