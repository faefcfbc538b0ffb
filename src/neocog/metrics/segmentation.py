"""Metrics of segmentation, gathered in a confusion matrix of pixels and sums over pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.errors import DataError
from neocog.metrics.boundaries import TOLERANCE, boundary_f1, tolerance_in_pixels
from neocog.targets import Mask

__all__ = ["PerPixelClass", "SegmentationMetrics"]


class PerPixelClass(NamedTuple):
    """Figures of each class; 0 where it does not occur.

    Attributes:
        iou: pixels that truth and answer give this class, over those that either does, in [0, 1].
        accuracy: share of the class's pixels that were given it, in [0, 1].
        boundary_f1: mean over the pictures in which the class has a border, in [0, 1].
        pixels: how many are of this class.
        answers: how many were given this class.
    """

    iou: Float[Tensor, "k"]
    accuracy: Float[Tensor, "k"]
    boundary_f1: Float[Tensor, "k"]
    pixels: Int64[Tensor, "k"]
    answers: Int64[Tensor, "k"]


class SegmentationMetrics:
    """Mean intersection over union, pixel accuracy, mean class accuracy and boundary F1; void pixels of the truth do not count.

    miou: mean over the classes that occur, in truth or answers, of intersection over union of all pictures' pixels together.
    pixel_accuracy: share of the pixels that are given their class.
    mean_accuracy: mean of that share over the classes that occur in the truth.
    boundary_f1: mean over the classes of `PerPixelClass.boundary_f1`, for a tolerance of 0.75 % of the picture's diagonal.

    Args:
        num_classes: how many there are, without void.
        boundaries: whether boundary F1 is measured, which takes longer than all the rest.
    """

    primary = "miou"
    higher_is_better = True

    def __init__(self, num_classes: int, *, boundaries: bool = True) -> None:
        self.num_classes = num_classes
        self.boundaries = boundaries
        self._sums = {
            "confusion": torch.zeros(num_classes, num_classes, dtype=torch.int64),
            "border_scores": torch.zeros(num_classes, dtype=torch.float64),
            "border_pictures": torch.zeros(num_classes, dtype=torch.int64),
        }

    @property
    def confusion(self) -> Int64[Tensor, "k k"]:
        """How many pixels of each class (rows) were given each class (columns)."""
        return self._sums["confusion"]

    @torch.no_grad()
    def update(self, outputs: Sequence[Mask], targets: Sequence[Mask]) -> None:
        """Take some pictures in.

        Args:
            outputs: the answers.
            targets: the truth, of the same sizes.
        """
        for output, target in zip(outputs, targets, strict=True):
            truth = target.classes.cpu().to(torch.int64)
            answer = output.classes.cpu().to(torch.int64)
            labelled = torch.ones_like(truth, dtype=torch.bool) if target.void is None else truth != target.void
            pairs = truth[labelled] * self.num_classes + answer[labelled]
            self._sums["confusion"] += torch.bincount(pairs, minlength=self.num_classes**2).view(self.num_classes, -1)
            if self.boundaries:
                self._take_borders(answer.masked_fill(~labelled, -1), truth.masked_fill(~labelled, -1))

    def _take_borders(self, answer: Tensor, truth: Tensor) -> None:
        height, width = truth.shape
        scores = boundary_f1(answer, truth, self.num_classes, tolerance_in_pixels(height, width, TOLERANCE))
        self._sums["border_scores"] += scores.nan_to_num(0.0)
        self._sums["border_pictures"] += ~scores.isnan()

    def merge(self, other: "SegmentationMetrics") -> None:
        """Take in what another one has gathered over other pictures."""
        self._sums = {name: tensor + other._sums[name] for name, tensor in self._sums.items()}

    def per_class(self) -> PerPixelClass:
        """The figures of each class."""
        hits = self.confusion.diagonal().double()
        pixels, answers = self.confusion.sum(dim=1), self.confusion.sum(dim=0)
        iou = hits / (pixels + answers - hits).clamp(min=1)
        borders = self._sums["border_scores"] / self._sums["border_pictures"].clamp(min=1)
        return PerPixelClass(iou, hits / pixels.clamp(min=1), borders, pixels, answers)

    def class_rows(self, class_names: Sequence[str]) -> list[dict[str, Any]]:
        """The figures of the classes that occur, in truth or answers."""
        columns = zip(class_names, *(column.tolist() for column in self.per_class()), strict=True)
        return [
            {"name": name, "iou": iou, "accuracy": accuracy, "boundary_f1": border, "pixels": pixels}
            for name, iou, accuracy, border, pixels, answers in columns
            if pixels or answers
        ]

    def compute(self) -> dict[str, float]:
        """The metrics by name; see the class.

        Raises:
            DataError: no labelled pixel was taken in.
        """
        total = int(self.confusion.sum())
        if not total:
            raise DataError("at least one labelled pixel to measure by", "none", "measure on a split that has pictures")
        iou, accuracy, borders, pixels, answers = self.per_class()
        figures = {
            "miou": _mean(iou, pixels + answers > 0),
            "pixel_accuracy": int(self.confusion.diagonal().sum()) / total,
            "mean_accuracy": _mean(accuracy, pixels > 0),
        }
        if self.boundaries:
            figures["boundary_f1"] = _mean(borders, self._sums["border_pictures"] > 0)
        return figures

    def state(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {name: tensor.clone() for name, tensor in self._sums.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the sums that `state` gave."""
        self._sums = {name: state[name].clone() for name in self._sums}


def _mean(values: Float[Tensor, "k"], counted: Bool[Tensor, "k"]) -> float:
    return float(values[counted].mean()) if bool(counted.any()) else 0.0
