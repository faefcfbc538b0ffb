"""Metrics of classification, gathered in a confusion matrix and a few sums."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.errors import DataError
from neocog.random import seed_of
from neocog.targets import Labels

__all__ = ["BINS", "ClassificationMetrics", "PerClass", "bootstrap_interval", "wilson_interval"]

BINS = 15
TOP = 5


class PerClass(NamedTuple):
    """Figures of each class.

    Attributes:
        precision: share of the pictures given this class that are of it, in [0, 1]; 0 where none was given it.
        recall: share of the pictures of this class that were given it, in [0, 1]; 0 where there is none.
        pictures: how many pictures are of this class.
        answers: how many pictures were given this class.
    """

    precision: Float[Tensor, "k"]
    recall: Float[Tensor, "k"]
    pictures: Int64[Tensor, "k"]
    answers: Int64[Tensor, "k"]


class ClassificationMetrics:
    """Accuracy, top-5 accuracy, macro precision and recall, calibration error and loss.

    accuracy: share of the pictures whose highest score is their class's. Of equal scores the first counts.
    accuracy_top5: share of those whose class's score is among the five highest, likewise; left out up to five classes.
    precision, recall: means over the classes that occur, as labels or as answers; 0/0 counts as 0.
    calibration_error: expected calibration error (Guo et al., On Calibration of Modern Neural Networks, 2017,
        https://arxiv.org/abs/1706.04599): the gap between confidence and accuracy in 15 equally wide bins of
        the highest probability, weighted by their pictures. A probability of exactly 1 has a bin of its own,
        as in torchmetrics.
    loss: mean cross-entropy, without smoothing or class weights.

    A picture that is mixed from two counts by its first class.

    Args:
        num_classes: how many logits a picture has.
    """

    primary = "accuracy"
    higher_is_better = True

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._sums = {
            "confusion": torch.zeros(num_classes, num_classes, dtype=torch.int64),
            "top5": torch.zeros((), dtype=torch.int64),
            "bin_count": torch.zeros(BINS + 1, dtype=torch.int64),
            "bin_correct": torch.zeros(BINS + 1, dtype=torch.int64),
            "bin_confidence": torch.zeros(BINS + 1, dtype=torch.float64),
            "loss": torch.zeros((), dtype=torch.float64),
        }

    @property
    def confusion(self) -> Int64[Tensor, "k k"]:
        """How many pictures of each class (rows) were given each class (columns)."""
        return self._sums["confusion"]

    @torch.no_grad()
    def update(self, outputs: Float[Tensor, "b k"], targets: Labels) -> None:
        """Take one batch in.

        Args:
            outputs: logits.
            targets: labels; of mixed ones the first class counts.
        """
        logits, classes = outputs.float(), targets.classes
        if logits.device != self.confusion.device:
            self._sums = {name: tensor.to(logits.device) for name, tensor in self._sums.items()}
        confidence, answers = functional.softmax(logits, dim=1).max(dim=1)
        correct = answers == classes
        pairs = torch.bincount(classes * self.num_classes + answers, minlength=self.num_classes**2)
        own = logits.gather(1, classes[:, None])
        first = torch.arange(self.num_classes, device=logits.device) < classes[:, None]
        above = ((logits > own) | ((logits == own) & first)).sum(dim=1)
        edges = torch.linspace(0, 1, BINS + 1, device=logits.device)
        bins = (torch.bucketize(confidence, edges, right=True) - 1).clamp(0, BINS)
        self._add(
            {
                "confusion": pairs.view(self.num_classes, self.num_classes),
                "top5": (above < TOP).sum(),
                "bin_count": torch.bincount(bins, minlength=BINS + 1),
                "bin_correct": torch.bincount(bins[correct], minlength=BINS + 1),
                "bin_confidence": torch.bincount(bins, weights=confidence.double(), minlength=BINS + 1),
                "loss": functional.cross_entropy(logits, classes, reduction="none").double().sum(),
            }
        )

    def merge(self, other: "ClassificationMetrics") -> None:
        """Take in what another one has gathered over other pictures."""
        self._add(other.state())

    def per_class(self) -> PerClass:
        """The figures of each class."""
        hits = self.confusion.diagonal().double()
        pictures, answers = self.confusion.sum(dim=1), self.confusion.sum(dim=0)
        return PerClass(hits / answers.clamp(min=1), hits / pictures.clamp(min=1), pictures, answers)

    def class_rows(self, class_names: Sequence[str]) -> list[dict[str, Any]]:
        """The figures of the classes that occur, as labels or as answers."""
        columns = zip(class_names, *(column.tolist() for column in self.per_class()), strict=True)
        return [
            {"name": name, "precision": precision, "recall": recall, "pictures": pictures}
            for name, precision, recall, pictures, answers in columns
            if pictures or answers
        ]

    def compute(self) -> dict[str, float]:
        """The metrics by name; see the class.

        Raises:
            DataError: no picture was taken in.
        """
        total = int(self._sums["bin_count"].sum())
        if not total:
            raise DataError("at least one labelled picture to measure by", "none", "measure on a split that has pictures")
        precision, recall, pictures, answers = self.per_class()
        occurs = pictures + answers > 0
        gap = (self._sums["bin_correct"] - self._sums["bin_confidence"]).abs().sum()
        figures = {
            "accuracy": int(self.confusion.diagonal().sum()) / total,
            "accuracy_top5": int(self._sums["top5"]) / total,
            "precision": float(precision[occurs].mean()),
            "recall": float(recall[occurs].mean()),
            "calibration_error": float(gap) / total,
            "loss": float(self._sums["loss"]) / total,
        }
        if self.num_classes <= TOP:
            del figures["accuracy_top5"]
        return figures

    def state(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {name: tensor.clone() for name, tensor in self._sums.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the sums that `state` gave."""
        self._sums = {name: state[name].clone() for name in self._sums}

    def _add(self, sums: Mapping[str, Tensor]) -> None:
        self._sums = {name: tensor + sums[name].to(tensor.device) for name, tensor in self._sums.items()}


def bootstrap_interval(correct: int, total: int, *, level: float = 0.95, draws: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """The percentile bootstrap interval of an accuracy.

    Each draw takes n pictures with repetition; how many of them are correct is binomially distributed, so
    that the count is drawn directly (Efron, Bootstrap Methods: Another Look at the Jackknife, 1979).

    Args:
        correct: how many answers are right.
        total: how many there are.
        level: how often the interval should hold the accuracy of the population, in (0, 1).
        draws: how many times the test set is drawn anew.
        seed: equal seeds give equal intervals.

    Returns:
        Lower and upper limit, in [0, 1].

    Raises:
        DataError: there are no answers.
    """
    if not total:
        raise DataError("at least one answer to measure an accuracy by", "none", "measure on a split that has pictures")
    numbers = np.random.default_rng(seed_of(seed, "bootstrap", total))
    accuracies = numbers.binomial(total, correct / total, size=draws) / total
    low, high = np.quantile(accuracies, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wilson_interval(right: int, total: int, *, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927).

    Args:
        right: how many of the cases count.
        total: how many there are.
        level: how often the interval should hold the share of the population, in (0, 1).

    Returns:
        Lower and upper limit, in [0, 1].

    Raises:
        DataError: there are no cases.
    """
    if not total:
        raise DataError("at least one answer to measure a share by", "none", "measure on a split that has pictures")
    share, squared = right / total, NormalDist().inv_cdf((1 + level) / 2) ** 2
    centre = share + squared / (2 * total)
    half = math.sqrt(squared * (share * (1 - share) / total + squared / (4 * total**2)))
    low, high = ((centre + side * half) / (1 + squared / total) for side in (-1, 1))
    return max(low, 0.0), min(high, 1.0)
