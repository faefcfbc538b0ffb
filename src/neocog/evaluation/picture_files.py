"""Picture files that are named one by one, without a dataset: which they are, and how they become a batch."""

from collections.abc import Sequence
from pathlib import Path

import torch

from neocog.batch import Batch, fit_matrices
from neocog.data.files import read_file
from neocog.data.listing import list_pictures
from neocog.errors import UsageError
from neocog.evaluation.reading import Reading, scale_of
from neocog.images import Picture, cover, decode, resize
from neocog.targets import pad_to_one_size
from neocog.tasks import Task

__all__ = ["batch_of", "picture_files", "read_picture"]


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """The files that paths stand for: folders for the pictures anywhere below them, sorted, hidden ones left out.

    Raises:
        UsageError: a path that is not there, or a folder without pictures.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = [path / name for name in list_pictures(path).files]
            if not found:
                raise UsageError("a picture, or a folder of pictures", f"{path}, a folder without any", "check the path")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise UsageError("a picture that exists", str(path), "check the path")
    return files


def read_picture(path: Path, task: Task, reading: Reading) -> Picture:
    """The picture as the task wants it: at least as large as the canvas, or every source pixel.

    Raises:
        PictureError: the file cannot be used.
    """
    covers = task.fit(training=False) == "cover"
    return decode(read_file(path), channels="grey" if reading.channels == 1 else "rgb", at_least=reading.canvas if covers else None)


def batch_of(pictures: Sequence[Picture], task: Task, reading: Reading) -> Batch:
    """Canvases for a task that covers, for the others whole pictures, at the scale at which the task shows them.

    There are no targets, and the keys count from 0.
    """
    sizes = torch.tensor([picture.shape[-2:] for picture in pictures])
    keys = torch.arange(len(pictures))
    if task.fit(training=False) == "cover":
        pixels = torch.stack([cover(picture, reading.canvas, reading.interpolation) for picture in pictures])
        return Batch(pixels, None, keys, sizes, fit_matrices("cover", sizes, reading.canvas))
    scale = scale_of(task, reading)
    shown = pictures if scale is None else [resize(picture, scale((picture.shape[-2], picture.shape[-1]))) for picture in pictures]
    ratios = torch.tensor([picture.shape[-2:] for picture in shown]) / sizes
    to_input = torch.diag_embed(torch.cat([ratios.flip(1), torch.ones(len(shown), 1)], dim=1))
    valid = pad_to_one_size([torch.ones(picture.shape[-2:], dtype=torch.bool) for picture in shown], fill=0)
    return Batch(pad_to_one_size(shown, fill=0), None, keys, sizes, to_input, None if bool(valid.all()) else valid)
