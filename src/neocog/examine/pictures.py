"""The pictures that a method looks at, batch by batch at the network's input, each with its answer and the question about it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch
from neocog.errors import PictureError, UsageError
from neocog.evaluation import match_classes
from neocog.evaluation.answers import compute, in_classes, taken_at_once, window
from neocog.evaluation.picture_files import batch_of, picture_files, read_picture
from neocog.evaluation.reading import Reading, reading_of
from neocog.examine.member import Asked, Request
from neocog.images import Picture
from neocog.machine import usable_cores
from neocog.models import MODELS
from neocog.objective import Objective
from neocog.random import generator
from neocog.run import Trained
from neocog.targets import Labels, Masks, Prediction

__all__ = ["Pictures", "Shown"]

MOST = 8
"""Pictures of a dataset that are looked at where none are named."""


@dataclass(frozen=True)
class Shown:
    """Some pictures as the network sees them.

    Attributes:
        batch: at the network's input, on the plan's device.
        objective: about the class that is asked about, else about the network's own decision, which stays what it is for these
            images however their pixels are changed.
        predictions: the network's answers.
        truths: index of the class of each picture among the network's; None where it is not known.
        names: of the files, or of the pictures in their dataset.
    """

    batch: Batch
    objective: Objective
    predictions: Sequence[Prediction]
    truths: Sequence[int | None]
    names: Sequence[str]


class Pictures:
    """The pictures of a request: the files that were named, else some of its data, drawn at random.

    Args:
        request: what is asked.
        most: pictures that are drawn of the data.

    Attributes:
        left_out: files that could not be read, each with the reason, as far as was looked.

    Raises:
        UsageError: a path that is not there, or no pictures are named and there are no data.
    """

    def __init__(self, request: Request, most: int = MOST) -> None:
        self._request = request
        self._files = picture_files(request.pictures)
        self._asked = None if self._files else request.open_data()
        self._rows = torch.arange(len(self._files)) if self._asked is None else _drawn(self._asked.rows, most, request.seed)
        self.left_out: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Shown]:
        """Batch by batch, so that it does not matter how many there are.

        Raises:
            PictureError: not one file can be read.
            UsageError: a picture is smaller than the network takes.
        """
        return self._of_files() if self._asked is None else self._of_data(self._asked)

    def _of_data(self, asked: Asked) -> Iterator[Shown]:
        trained, loader = self._request.trained, asked.material.loader
        classes = match_classes(asked.material.dataset, trained)
        for rows in self._rows.split(taken_at_once(trained.task, trained.preprocess.size)):
            batch = trained.task.disturb(in_classes(loader.batch(rows), classes), 0, None)
            labels = batch.targets.classes.tolist() if isinstance(batch.targets, Labels) else [None] * len(rows)
            yield self._shown(batch, labels, [asked.material.dataset.where(row) for row in rows.tolist()])

    def _of_files(self) -> Iterator[Shown]:
        trained = self._request.trained
        reading, seen = reading_of(trained.preprocess, trained.task), 0
        with ThreadPoolExecutor(usable_cores()) as pool:
            count = taken_at_once(trained.task, trained.preprocess.size)
            for start in range(0, len(self._files), count):
                paths = self._files[start : start + count]
                found = list(zip(paths, pool.map(lambda path: _read(path, trained, reading), paths), strict=True))
                usable = [(path, picture) for path, picture in found if not isinstance(picture, PictureError)]
                faults = [(path, error) for path, error in found if isinstance(error, PictureError)]
                self.left_out += [f"{path}: {error.found}" for path, error in faults]
                seen += len(usable)
                if usable:
                    batch = batch_of([picture for _, picture in usable], trained.task, reading)
                    yield self._shown(batch, [None] * len(usable), [path.name for path, _ in usable])
        if not seen:
            path, error = faults[0]
            raise PictureError(error.expected, f"{path}: {error.found}", error.remedy)

    def _shown(self, batch: Batch, truths: Sequence[int | None], names: Sequence[str]) -> Shown:
        trained = self._request.trained
        _refuse_small(trained, batch, names)
        batch = place(batch, window(trained.task.fit(training=False)), trained.preprocess.size).to(trained.plan.device)
        outputs = compute(trained.model, trained.plan, batch)
        predictions = trained.task.decode(outputs, batch)
        return Shown(batch, _question(trained, batch, outputs, self._request.about), predictions, truths, names)


def _question(trained: Trained, batch: Batch, outputs: Tensor, about: int | None) -> Objective:
    """The question about a batch that stays the same when pixels change: what is asked about stands as the truth.

    Args:
        trained: the network.
        batch: at its input.
        outputs: the network's, for a classification "b classes", for a segmentation "b classes h w".
        about: index of the class that is asked about, in a segmentation where it is seen, if anywhere; None for the decisions.
    """
    decided = outputs.argmax(dim=1)
    if trained.task_name == "classify":
        classes = decided if about is None else torch.full_like(decided, about)
        return trained.task.objective(trained.model, replace(batch, targets=Labels(classes, classes, torch.ones_like(outputs[:, 0]))))
    if trained.task_name == "segment":
        seen = decided if about is None else decided.where(decided == about, Masks.void)
        missing = (seen == Masks.void).all(dim=(1, 2))
        seen[missing] = about if about is not None else Masks.void
        if batch.valid is not None:
            seen[~batch.valid] = Masks.void
        return trained.task.objective(trained.model, replace(batch, targets=Masks(seen)))
    return trained.task.objective(trained.model, batch, targeted=about)


def _drawn(rows: Int64[Tensor, "n"], most: int, seed: int) -> Int64[Tensor, "m"]:
    """Some pictures, in the order of the dataset."""
    order = torch.randperm(len(rows), generator=generator(seed, "pictures to explain", 0))
    return rows[order[:most].sort().values]


def _read(path: Path, trained: Trained, reading: Reading) -> Picture | PictureError:
    try:
        return read_picture(path, trained.task, reading)
    except PictureError as error:
        return error


def _refuse_small(trained: Trained, batch: Batch, names: Sequence[str]) -> None:
    """What is shown at its own scale is not enlarged where it is too small."""
    least = MODELS[trained.name].min_size if trained.name in MODELS else 1
    if trained.task.fit(training=False) == "cover":
        return
    scales = batch.to_input[:, (1, 0), (1, 0)]  # down and across
    for name, (height, width) in zip(names, (batch.source_sizes * scales).round().long().tolist(), strict=True):
        if min(height, width) < least:
            raise UsageError(
                f"pictures of at least {least}x{least} pixels for {trained.name}", f"{name} with {height}x{width}", "give a larger one"
            )
