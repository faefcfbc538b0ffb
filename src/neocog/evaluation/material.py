"""All pictures of a dataset, read once, ready to be asked for in batches."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Preprocess
from neocog.data.dataset import Dataset
from neocog.data.loader import Loader
from neocog.data.pixels import Gathered, gather
from neocog.data.survey import Fault, Note, Survey, judge, survey
from neocog.errors import DataError, UsageError
from neocog.progress import Progress, counting
from neocog.tasks import Task

__all__ = ["Material", "given_pictures", "read_material"]


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
    digests: list[bytes]
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
    channels: Literal[1, 3] = 1 if preprocess.channels == 1 else 3
    found: Gathered | Survey
    with counting(progress, f"reading {dataset.name}", len(dataset)) as done:
        if task.fit(training=True) == "cover":
            found = gather(dataset, canvas=preprocess.resize, channels=channels, allow_bad=allow_bad, progress=done)
        else:
            found = survey(dataset, progress=done)
            judge(dataset, found.faults, allow_bad)
    gathered = found if isinstance(found, Gathered) else None
    return Material(dataset, Loader(dataset, gathered, channels), gathered, found.digests, found.faults, found.notes)


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
    name = split or ("test" if "test" in given else "val" if "val" in given else "all")
    bad = {fault.where for fault in material.faults}
    asked = [index for index in range(len(dataset)) if name in ("all", dataset.given_split(index))]
    usable = [index for index in asked if dataset.where(index) not in bad]
    if not usable:
        raise DataError(f"pictures in {name} of {dataset.name}", "none that can be used", "give other data")
    return name, torch.tensor(usable, dtype=torch.int64)
