"""Picture files as something that can be attacked: what the network says of them before counts as right."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch
from neocog.data.arrays import ArrayDataset
from neocog.errors import UsageError
from neocog.evaluation import read_material, window
from neocog.evaluation.answers import compute, pictures_at_once
from neocog.evaluation.picture_files import batch_of, picture_files, read_picture
from neocog.evaluation.reading import Reading
from neocog.examine.member import Asked
from neocog.images import SUFFIXES
from neocog.progress import Progress
from neocog.run import Trained

__all__ = ["are_pictures", "asked_of_files"]

NAME = "pictures"


class _Files(ArrayDataset):
    """Canvases of picture files, each labelled with the network's own answer."""

    def __init__(self, trained: Trained, paths: Sequence[Path], pixels: Tensor, labels: Tensor) -> None:
        note = "the pictures have no labels: what the network says of them before the attack counts as right"
        super().__init__(NAME, pixels, labels, trained.class_names, mirrored=True, licence="unknown", notes=(note,))
        self.class_ids = trained.class_ids
        self._paths = paths

    def where(self, index: int) -> str:
        """The file's path."""
        return str(self._paths[index])


def are_pictures(paths: Sequence[Path]) -> bool:
    """Whether these are picture files by their names, and not a dataset."""
    return bool(paths) and all(path.suffix.lower() in SUFFIXES and not path.is_dir() for path in paths)


def asked_of_files(trained: Trained, paths: Sequence[Path], progress: Progress) -> Asked:
    """The pictures as data.

    Args:
        trained: a network that classifies.
        paths: of files.
        progress: told of every picture.

    Raises:
        UsageError: the network does not classify, or a path is not there.
        PictureError: a file cannot be used.
    """
    if trained.task_name != "classify":
        found = f"picture files, to a network for the task {trained.task_name}"
        raise UsageError("a dataset whose answers are known", found, "name a dataset")
    files, reading = picture_files(paths), Reading.of(trained.preprocess)
    batches = []
    for start in range(0, len(files), pictures_at_once(trained.preprocess.size)):
        some = files[start : start + pictures_at_once(trained.preprocess.size)]
        batches.append(batch_of([read_picture(path, trained.task, reading) for path in some], trained.task, reading))
    labels = torch.cat([_answers(trained, batch) for batch in batches])
    dataset = _Files(trained, files, torch.cat([batch.pixels for batch in batches]), labels)
    material = read_material(dataset, trained.task, trained.preprocess, allow_bad=False, progress=progress)
    return Asked(material, "all", torch.arange(len(files)))


def _answers(trained: Trained, batch: Batch) -> Tensor:
    shown = place(batch, window(trained.task.fit(training=False)), trained.preprocess.size).to(trained.plan.device)
    return compute(trained.model.eval(), trained.plan, shown).argmax(dim=1).cpu()
