"""Predict picture files, each on its own terms: a file that cannot be read is named, the others are answered."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from neocog.augment import place
from neocog.batch import Batch, fit_matrices
from neocog.data.files import read_file
from neocog.data.listing import list_pictures
from neocog.engine import forward, obeying
from neocog.errors import NeocogError, PictureError, UsageError
from neocog.evaluation.answers import pictures_at_once, window
from neocog.evaluation.predictions import prediction_row
from neocog.files import make_folder, write_atomically
from neocog.images import Picture, cover, decode, encode_png
from neocog.machine import usable_cores
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Prediction, pad_to_one_size

__all__ = ["Answer", "picture_files", "predict", "save_drawings"]

DRAWN_AT_LEAST = (512, 512)


@dataclass(frozen=True)
class Answer:
    """What a network said about one file.

    Attributes:
        path: of the file.
        prediction: None when the file could not be read.
        error: why; None when it could.
        row: the prediction as JSON holds it.
        drawing: file of the picture with the answer drawn on it, where one was asked for.
    """

    path: Path
    prediction: Prediction | None
    error: NeocogError | None
    row: dict[str, Any]
    drawing: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON."""
        if self.error is not None:
            return {"picture": str(self.path), "error": self.error.found}
        drawing = {} if self.drawing is None else {"drawing": str(self.drawing)}
        return {"picture": str(self.path), **self.row, **drawing}


def predict(trained: Trained, paths: Sequence[Path], progress: Progress | None = None) -> list[Answer]:
    """The network's answer for each file, in the order given; folders stand for the pictures below them.

    Args:
        trained: the network and its task.
        paths: of files and folders.
        progress: told of every batch.

    Raises:
        UsageError: a path that is not there, or a folder without pictures.
        PictureError: not one of the files can be read.
    """
    files = picture_files(paths)
    answers: list[Answer] = []
    progress = progress or Silent()
    progress.start("predicting", len(files))
    with ThreadPoolExecutor(usable_cores()) as pool:
        remaining = iter(files)
        at_once = 1 if trained.task.fit(training=False) == "native" else pictures_at_once(trained.preprocess.size)
        while group := list(islice(remaining, at_once)):
            answers += _answer_group(trained, group, list(pool.map(lambda path: _read(trained, path), group)))
            progress.advance(len(group))
    progress.done()
    errors = [answer.error for answer in answers if answer.error is not None]
    if len(errors) == len(files):
        others = f", and {len(files) - 1:,} more file{'s' if len(files) > 2 else ''} that cannot be read" if len(files) > 1 else ""
        raise PictureError(errors[0].expected, f"{files[0]}: {errors[0].found}{others}", errors[0].remedy)
    return answers


def save_drawings(trained: Trained, answers: Sequence[Answer], folder: Path, progress: Progress | None = None) -> list[Answer]:
    """Write each answered picture with its answer drawn on it, as <name>.png; where there is such a file, with a number.

    Returns:
        the answers, with the files' names.

    Raises:
        SurroundingsError: the folder cannot be written to.
    """
    make_folder(folder)
    progress = progress or Silent()
    progress.start("drawing", len(answers))
    drawn = []
    at_least = DRAWN_AT_LEAST if trained.task.fit(training=False) == "cover" else None  # other answers are in source pixels
    for answer in answers:
        progress.advance()
        if answer.prediction is not None:
            picture = decode(read_file(answer.path), at_least=at_least)
            path = next(path for path in _names(folder, answer.path.stem) if not path.exists())
            write_atomically(path, encode_png(trained.task.draw(picture, answer.prediction)))
            answer = replace(answer, drawing=path)
        drawn.append(answer)
    progress.done()
    return drawn


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


def _read(trained: Trained, path: Path) -> Picture | NeocogError:
    """The picture as the network's task wants it: at least as large as its canvas, or every source pixel."""
    preprocess = trained.preprocess
    covers = trained.task.fit(training=False) == "cover"
    try:
        data = read_file(path)
        return decode(data, channels="grey" if preprocess.channels == 1 else "rgb", at_least=preprocess.resize if covers else None)
    except PictureError as error:
        return error


def _answer_group(trained: Trained, paths: Sequence[Path], pictures: Sequence[Picture | NeocogError]) -> Iterator[Answer]:
    readable = [picture for picture in pictures if isinstance(picture, torch.Tensor)]
    predictions = iter(_predictions(trained, readable) if readable else ())
    for path, picture in zip(paths, pictures, strict=True):
        if isinstance(picture, NeocogError):
            yield Answer(path, None, picture, {})
        else:
            prediction = next(predictions)
            yield Answer(path, prediction, None, prediction_row(prediction, trained.class_names))


def _predictions(trained: Trained, pictures: Sequence[Picture]) -> list[Prediction]:
    batch = _batch(trained, pictures)
    fit = window(trained.task.fit(training=False))
    with torch.inference_mode(), obeying(trained.plan):
        placed = place(batch, fit, trained.preprocess.size).to(trained.plan.device)
        return trained.task.decode(forward(trained.model.eval(), placed.images, trained.plan), placed)


def _batch(trained: Trained, pictures: Sequence[Picture]) -> Batch:
    """Canvases for a task that covers, whole pictures for the others."""
    sizes = torch.tensor([picture.shape[-2:] for picture in pictures])
    keys = torch.arange(len(pictures))
    if trained.task.fit(training=False) == "cover":
        canvas = trained.preprocess.resize
        pixels = torch.stack([cover(picture, canvas, trained.preprocess.interpolation) for picture in pictures])
        return Batch(pixels, None, keys, sizes, fit_matrices("cover", sizes, canvas))
    valid = pad_to_one_size([torch.ones(picture.shape[-2:], dtype=torch.bool) for picture in pictures], fill=0)
    return Batch(pad_to_one_size(pictures, fill=0), None, keys, sizes, torch.eye(3).repeat(len(pictures), 1, 1), valid)


def _names(folder: Path, stem: str) -> Iterator[Path]:
    yield folder / f"{stem}.png"
    for number in range(2, 1_000_000):
        yield folder / f"{stem}-{number}.png"
