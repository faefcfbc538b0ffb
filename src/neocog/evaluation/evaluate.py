"""Evaluate a network on some pictures of a dataset."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.data.loader import Loader
from neocog.evaluation.answers import answers
from neocog.metrics.base import Metrics
from neocog.metrics.classification import ClassificationMetrics, PerClass, bootstrap_interval
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Label, Labels, Prediction

__all__ = ["TOP", "Evaluation", "Ranked", "evaluate"]

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
class Evaluation:
    """What a network answered about a split.

    Attributes:
        split: "train", "val", "test" or "all".
        metrics: by name, without the split.
        sums: what the metrics were computed from; for classification it has the confusion matrix.
        indices: which pictures of the dataset.
        predictions: one for each picture, in the order of `indices`.
        seconds: from the first picture to the last.
        files: what was written of it.
    """

    split: str
    metrics: dict[str, float]
    sums: Metrics[Any, Any]
    indices: Int64[Tensor, "n"]
    predictions: Ranked | tuple[Prediction, ...]
    seconds: float
    files: tuple[Path, ...] = ()

    def named_metrics(self) -> dict[str, float]:
        """The metrics under their full names ("test/accuracy")."""
        return {f"{self.split}/{name}": value for name, value in self.metrics.items()}

    def interval(self) -> tuple[float, float] | None:
        """The 95 % bootstrap interval of a classification's accuracy; None for other tasks."""
        if not isinstance(self.sums, ClassificationMetrics):
            return None
        right = int(self.sums.confusion.diagonal().sum())
        return bootstrap_interval(right, len(self.indices))

    def per_class(self) -> PerClass | None:
        """Precision, recall and number of pictures of each of the network's classes; None for other tasks."""
        return self.sums.per_class() if isinstance(self.sums, ClassificationMetrics) else None


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
    progress = progress or Silent()
    sums = trained.task.metrics()
    predictions: list[Prediction] = []
    ranked: list[Ranked] = []
    started = time.perf_counter()
    progress.start(f"evaluating {split}", len(indices))
    for outputs, batch in answers(trained.model, trained.task, trained.plan, loader, indices, classes=classes):
        trained.task.compare(sums, outputs, batch, loader.dataset.target)
        decoded = trained.task.decode(outputs, batch)
        if isinstance(batch.targets, Labels):
            ranked.append(_ranked(decoded, batch.targets))
        else:
            predictions += decoded
        progress.advance(len(batch))
    progress.done()
    seconds = time.perf_counter() - started
    kept = Ranked(*(torch.cat(column) for column in zip(*ranked, strict=True))) if ranked else tuple(predictions)
    return Evaluation(split, sums.compute(), sums, indices, kept, seconds)


def _ranked(predictions: Sequence[Prediction], labels: Labels) -> Ranked:
    answers = [prediction.answer.index for prediction in predictions if isinstance(prediction.answer, Label)]
    scores = torch.stack([prediction.scores for prediction in predictions if prediction.scores is not None])
    top = scores.topk(min(TOP, scores.shape[1]))
    return Ranked(torch.tensor(answers, dtype=torch.int64), labels.classes.cpu(), top.indices, top.values)
