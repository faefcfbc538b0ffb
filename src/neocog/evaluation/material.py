"""All pictures of a dataset, read once, ready to be asked for in batches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Preprocess
from neocog.data.compact import Digests
from neocog.data.dataset import Dataset
from neocog.data.loader import Loader
from neocog.data.pixels import Gathered, gather
from neocog.data.splits import Splits, read_splits
from neocog.data.survey import Fault, Note, Survey, judge, survey
from neocog.errors import DataError, UsageError
from neocog.evaluation.reading import Reading, reading_of, scale_of
from neocog.progress import Progress, counting
from neocog.tasks import Task

__all__ = ["Material", "given_pictures", "own_pictures", "read_each", "read_material", "recorded_splits"]


@dataclass(frozen=True)
class Material:
    """What a network is trained on or asked about.

    Attributes:
        dataset: all pictures.
        loader: makes batches of them.
        gathered: their canvases; None where the task reads source pixels.
        digests: of every picture's content.
        faults: pictures that cannot be used.
        notes: what is worth knowing about single pictures.
    """

    dataset: Dataset
    loader: Loader
    gathered: Gathered | None
    digests: Digests
    faults: list[Fault]
    notes: list[Note]


def read_material(dataset: Dataset, task: Task, preprocess: Preprocess, *, allow_bad: bool, progress: Progress) -> Material:
    """Read every picture once, as the task wants it.

    Args:
        dataset: what to read.
        task: with fit "cover" the pictures are kept at the canvas, else only looked at.
        preprocess: of the network; gives the canvas and the channels.
        allow_bad: go on however many pictures cannot be used.
        progress: told of every picture.

    Raises:
        DataError: too many pictures cannot be used, or a class has none left.
    """
    return _read(dataset, task, reading_of(preprocess, task), allow_bad, progress)


def read_each(dataset: Dataset, task: Task, readings: Sequence[Reading], *, allow_bad: bool, progress: Progress) -> list[Material]:
    """Read every picture once for each way of reading that differs from the others.

    Args:
        dataset: what to read.
        task: see `read_material`.
        readings: as several networks want them.
        allow_bad: see `read_material`.
        progress: told of every picture.

    Returns:
        One for each of the readings, in their order; alike ones share it. Each has the faults of all.

    Raises:
        DataError: as `read_material`.
    """
    made = {reading: _read(dataset, task, reading, allow_bad, progress) for reading in dict.fromkeys(readings)}
    faults = {fault.where: fault for material in made.values() for fault in material.faults}
    made = {reading: replace(material, faults=list(faults.values())) for reading, material in made.items()}
    return [made[reading] for reading in readings]


def _read(dataset: Dataset, task: Task, reading: Reading, allow_bad: bool, progress: Progress) -> Material:
    found: Gathered | Survey
    scale = scale_of(task, reading)
    loader = Loader(dataset, None, reading.channels, scale)
    with counting(progress, f"reading {dataset.name}", len(dataset)) as done:
        if task.fit(training=True) == "cover":
            found = gather(
                dataset,
                canvas=reading.canvas,
                channels=reading.channels,
                allow_bad=allow_bad,
                progress=done,
                interpolation=reading.interpolation,
            )
        else:
            found = survey(dataset, keep=None if scale is None else loader.keep, progress=done)
            judge(dataset, found.faults, allow_bad)
    gathered = found if isinstance(found, Gathered) else None
    if gathered is not None:
        loader = Loader(dataset, gathered, reading.channels)
    return Material(dataset, loader, gathered, found.digests, found.faults, found.notes)


def given_pictures(material: Material, split: str | None) -> tuple[str, Int64[Tensor, "n"]]:
    """The pictures of a split that the dataset's publisher made.

    Args:
        material: of the dataset.
        split: "train", "val" or "test"; None takes test, else val, else all pictures.

    Returns:
        the split's name ("all" for all pictures), and the usable pictures' indices.

    Raises:
        UsageError: the dataset has no such split.
        DataError: not one picture in it can be used.
    """
    dataset, given = material.dataset, material.dataset.given_splits()
    if split is not None and split not in given:
        remedy = f"choose one of {', '.join(given)}" if given else "leave the split out: there are none"
        raise UsageError(f"a split of {dataset.name}", repr(split), remedy)
    name = split or _told_most_by(given, "all")
    bad = {fault.where for fault in material.faults}
    asked = [index for index in range(len(dataset)) if name in ("all", dataset.given_split(index))]
    usable = [index for index in asked if dataset.where(index) not in bad]
    if not usable:
        raise DataError(f"pictures in {name} of {dataset.name}", "none that can be used", "give other data")
    return name, torch.tensor(usable, dtype=torch.int64)


def own_pictures(material: Material, path: Path, split: str | None) -> tuple[str, Int64[Tensor, "n"]]:
    """The pictures of a split that a training made or kept.

    Args:
        material: of the dataset.
        path: of the training's splits.csv.
        split: "train", "val" or "test"; None takes test, else val, else train.

    Returns:
        the split's name and the pictures' indices.

    Raises:
        UsageError: no split has that name.
        DataError: no picture is in it, or the data are not what the training was begun with.
    """
    splits = recorded_splits(material, path)
    rows = {"train": splits.train, "val": splits.val, "test": splits.test}
    name = split or _told_most_by([name for name, indices in rows.items() if len(indices)], "train")
    if name not in rows:
        raise UsageError("the name of a split", repr(name), f"choose one of {', '.join(rows)}")
    if not len(rows[name]):
        raise DataError(f"pictures in {name} of {material.dataset.name}", "none", "choose another split")
    return name, rows[name]


def recorded_splits(material: Material, path: Path) -> Splits:
    """The splits that a training recorded, for the pictures as they were read now.

    Args:
        material: of the dataset.
        path: of the training's splits.csv.

    Raises:
        DataError: the pictures are not what the training was begun with, or one of a split cannot be read any more.
    """
    splits = read_splits(path, material.dataset, material.digests)
    set_aside = {where for where, _ in splits.set_aside}
    for fault in material.faults:
        if fault.where not in set_aside:
            remedy = "make it readable again, or start a new training"
            raise DataError(f"the pictures that {path} lists, readable", f"{fault.where}: {fault.reason}", remedy)
    return splits


def _told_most_by(present: Collection[str], otherwise: str) -> str:
    """The split that says most about a network: test, else val."""
    return next((name for name in ("test", "val") if name in present), otherwise)
