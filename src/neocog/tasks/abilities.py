"""What some tasks have beside what every task has; the rest of the package asks whether one has it."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from neocog.batch import Batch
from neocog.images import Size
from neocog.metrics.base import Metrics
from neocog.targets import Prediction, Target

__all__ = ["Counts", "HasProbabilities", "Judges", "Scales", "Watches"]


@runtime_checkable
class Scales(Protocol):
    """Pictures are shown to the network at another scale than their files'; answers are given in source pixels all the same."""

    def scaled(self, source: Size, size: Size) -> Size:
        """Height and width at which a picture is kept and shown.

        Args:
            source: height and width of the picture.
            size: height and width of the network's input.
        """
        ...


@runtime_checkable
class Counts(Protocol):
    """Some options follow from the targets of the training pictures; the recipe records them."""

    def counted(self, targets: Iterable[Target]) -> Mapping[str, Any]:
        """Options by name; empty where none is to be counted."""
        ...


@runtime_checkable
class Watches(Protocol):
    """All metrics take so long that less is measured between epochs."""

    def watched(self) -> Metrics[Any, Any]:
        """Fresh sums of what is measured on the validation split after each epoch; the primary metric is among it."""
        ...


@runtime_checkable
class HasProbabilities(Protocol):
    """The classes of pixels have probabilities, which a field may sharpen."""

    def probabilities(self, outputs: Tensor, batch: Batch) -> list[Tensor]:
        """Of every class at each source pixel, "k h w", picture by picture.

        Args:
            outputs: the network's, as float32.
            batch: in the network's input coordinates.
        """
        ...


@runtime_checkable
class Judges(Protocol):
    """Each picture's answer has metrics of its own."""

    def judged(self, prediction: Prediction, target: Target) -> dict[str, float]:
        """Metrics of one answer by name; the primary one of the task is the first."""
        ...
