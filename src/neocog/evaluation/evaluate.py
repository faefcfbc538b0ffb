"""Evaluate a network on some pictures of a dataset."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.loader import Loader
from neocog.evaluation.answers import answers
from neocog.metrics.base import Metrics
from neocog.metrics.classification import ClassificationMetrics, PerClass, bootstrap_interval
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Prediction

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """What a network answered about a split.

    Attributes:
        split: "train", "val", "test" or "all".
        metrics: by name, without the split.
        sums: what the metrics were computed from; for classification it has the confusion matrix.
        indices: which pictures of the dataset.
        predictions: one for each picture, in the order of `indices`.
        classes: see `answers`.
        seconds: from the first picture to the last.
        files: what was written of it.
    """

    split: str
    metrics: dict[str, float]
    sums: Metrics[Any, Any]
    indices: Int64[Tensor, "n"]
    predictions: tuple[Prediction, ...]
    classes: Int64[Tensor, "k"] | None
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
        return bootstrap_interval(torch.arange(len(self.indices)) < right)  # it depends on how many are right, not on which

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
    started = time.perf_counter()
    progress.start(f"evaluating {split}", len(indices))
    for outputs, batch in answers(trained.model, trained.task, trained.plan, loader, indices, classes=classes):
        trained.task.compare(sums, outputs, batch, loader.dataset.target)
        predictions += trained.task.decode(outputs, batch)
        progress.advance(len(batch))
    progress.done()
    return Evaluation(split, sums.compute(), sums, indices, tuple(predictions), classes, time.perf_counter() - started)
