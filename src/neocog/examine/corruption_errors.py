"""How often a network is wrong about pictures as they are, and under corruptions at five strengths.

D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", 2019,
https://arxiv.org/abs/1903.12261. The error of a classification is the share of pictures that are named wrongly,
of another task what its primary metric lacks of 1. The mean corruption error is its mean over strengths, then over
corruptions. Against a reference network (the paper's is AlexNet) the errors of each corruption, summed over strengths, are
divided by the reference's before the mean over corruptions is taken; the relative one does so after the clean error is
subtracted from both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.attack.corruptions import CORRUPTIONS, STRENGTHS, corrupted
from neocog.augment import place
from neocog.batch import Batch
from neocog.data.dataset import Dataset
from neocog.errors import UsageError
from neocog.evaluation import Material, match_classes, window
from neocog.evaluation.answers import compute, in_classes, taken_at_once
from neocog.examine.member import Asked
from neocog.metrics.classification import wilson_interval
from neocog.progress import Progress
from neocog.run import Trained
from neocog.targets import Labels

__all__ = ["CorruptionErrors", "admitted_corruptions", "corruption_errors", "placed", "spoilt"]

Cell = tuple[str, int]  # a corruption's name and a strength from 1

TASKS = ("classify", "segment")
"""Those whose primary metric is a share, which has a best of 1."""


@dataclass(frozen=True)
class CorruptionErrors:
    """How often a network was wrong; every error is in [0, 1].

    Attributes:
        name: of the network.
        split: what the pictures are called.
        pictures: how many were asked about.
        measure: what the error is, in words.
        clean: of the pictures as they are.
        errors: with a corruption at a strength.
        amounts: how much each strength was, for images of the network's input size.
        counted: whether errors are shares of the pictures, so that they have an interval.
    """

    name: str
    split: str
    pictures: int
    measure: str
    clean: float
    errors: dict[Cell, float]
    amounts: dict[Cell, float]
    counted: bool = True

    @property
    def corruptions(self) -> list[str]:
        """Names of the corruptions, in their order."""
        return list(dict.fromkeys(name for name, _ in self.errors))

    def error(self, name: str) -> float:
        """The error under a corruption, averaged over strengths."""
        return sum(self.errors[name, strength] for strength in STRENGTHS) / len(STRENGTHS)

    @property
    def mean(self) -> float:
        """The mean corruption error."""
        return sum(map(self.error, self.corruptions)) / len(self.corruptions)

    def interval(self, error: float) -> tuple[float, float] | None:
        """The 95 % interval of Wilson; None where the error is no share of the pictures."""
        return wilson_interval(round(error * self.pictures), self.pictures) if self.counted else None

    def against(self, reference: "CorruptionErrors", *, relative: bool = False) -> float | None:
        """The mean corruption error with the reference's as the unit; the relative one counts what is added to the clean errors.

        Returns:
            None where the reference makes no error (or none more) under some corruption, so that nothing can be divided by it.
        """
        own, other = (self.clean, reference.clean) if relative else (0.0, 0.0)
        units = [reference.error(name) - other for name in self.corruptions]
        if min(units) <= 0:
            return None
        return sum((self.error(name) - own) / unit for name, unit in zip(self.corruptions, units, strict=True)) / len(units)


def admitted_corruptions(trained: Trained, named: Sequence[str] = ()) -> list[str]:
    """Names of the corruptions that have a meaning for a network, each once.

    Args:
        trained: the network.
        named: those that are wanted; () for all.

    Raises:
        UsageError: there is none of a name, it moves what the answers are to point at, or the task has no error in [0, 1].
    """
    if trained.task_name not in TASKS:
        expected, found = f"a network for the task {' or '.join(TASKS)}, for corruptions", f"{trained.name}, for {trained.task_name}"
        raise UsageError(expected, found, "ask another network")
    still = [name for name in CORRUPTIONS if trained.task_name == "classify" or not CORRUPTIONS[name].moves]
    for name in named:
        if CORRUPTIONS[name].moves and name not in still:
            expected = "a corruption that leaves things where they are, as the masks say"
            raise UsageError(expected, name, f"choose among {', '.join(still)}")
    return list(dict.fromkeys(named)) or still


def corruption_errors(trained: Trained, asked: Asked, names: Sequence[str], *, seed: int, progress: Progress) -> CorruptionErrors:
    """Ask a network about pictures as they are and under corruptions.

    Args:
        trained: the network.
        asked: the pictures.
        names: of the corruptions, as `admitted_corruptions` gives them.
        seed: of their draws, which depend on the picture beside.
        progress: told of every batch.

    Raises:
        DataError: the data have classes that the network does not know.
    """
    size, rows = trained.preprocess.size, asked.rows
    cells = [(name, strength) for name in names for strength in STRENGTHS]
    make = _gauge_of(trained, asked.material.dataset)
    clean, gauges = make(), {cell: make() for cell in cells}
    progress.start(f"corrupting {asked.split} for {trained.name}", len(rows))
    for part in rows.split(taken_at_once(trained.task, size)):
        batch = placed(trained, asked.material, part)
        clean.take(_answers(trained, batch), batch)
        for (name, strength), gauge in gauges.items():
            gauge.take(_answers(trained, spoilt(batch, name, strength, seed)), batch)
        progress.advance(len(part))
    progress.done()
    amounts = {(name, strength): CORRUPTIONS[name].amount(strength, *size) for name, strength in cells}
    errors = {cell: gauge.error() for cell, gauge in gauges.items()}
    counted = trained.task_name == "classify"
    measure = "error" if counted else f"1 - {trained.task.metrics().primary}"
    return CorruptionErrors(trained.name, asked.split, len(rows), measure, clean.error(), errors, amounts, counted)


def placed(trained: Trained, material: Material, rows: Int64[Tensor, "b"]) -> Batch:
    """Pictures at the network's input, labels among its outputs."""
    classes = match_classes(material.dataset, trained)
    fit = window(trained.task.fit(training=False))
    return place(in_classes(material.loader.batch(rows), classes), fit, trained.preprocess.size)


def spoilt(batch: Batch, name: str, strength: int, seed: int) -> Batch:
    """The batch under a corruption; padding stays as it is."""
    images = corrupted(name, batch.images, strength, batch.keys, seed)
    if batch.valid is not None:
        images = torch.where(batch.valid[:, None], images, batch.images)
    return replace(batch, pixels=images)


def _answers(trained: Trained, batch: Batch) -> Float[Tensor, "b k *places"]:
    native = trained.task.fit(training=False) == "native"
    return compute(trained.model.eval(), trained.plan, batch.to(trained.plan.device), native=native).cpu()


class _Gauge(Protocol):
    """Adds up over batches how wrong answers are."""

    def take(self, outputs: Tensor, batch: Batch) -> None:
        """Count the answers about a batch."""
        ...

    def error(self) -> float:
        """Of all that were taken."""
        ...


class _Mistakes:
    """The share of pictures that are named wrongly."""

    def __init__(self) -> None:
        self._wrong = self._pictures = 0

    def take(self, outputs: Tensor, batch: Batch) -> None:
        """See _Gauge."""
        if not isinstance(batch.targets, Labels):
            raise TypeError(f"mistakes need labels, found {type(batch.targets).__name__}")
        self._wrong += int((outputs.argmax(dim=1) != batch.targets.classes).sum())
        self._pictures += len(batch)

    def error(self) -> float:
        """See _Gauge."""
        return self._wrong / self._pictures


class _Shortfall:
    """What the task's primary metric lacks of 1.

    Args:
        trained: whose task.
        dataset: that the pictures are of.
    """

    def __init__(self, trained: Trained, dataset: Dataset) -> None:
        self._task, self._truth = trained.task, dataset.target
        self._metrics = trained.task.metrics()

    def take(self, outputs: Tensor, batch: Batch) -> None:
        """See _Gauge."""
        self._task.compare(self._metrics, outputs, batch, self._truth)

    def error(self) -> float:
        """See _Gauge."""
        return 1 - float(self._metrics.compute()[self._metrics.primary])


def _gauge_of(trained: Trained, dataset: Dataset) -> Callable[[], _Gauge]:
    if trained.task_name == "classify":
        return _Mistakes
    return lambda: _Shortfall(trained, dataset)
