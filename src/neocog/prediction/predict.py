"""Predict picture files, each on its own terms: a file that cannot be read is named, the others are answered."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from neocog.batch import Batch, fit_matrices
from neocog.data.files import read_file
from neocog.data.listing import list_pictures
from neocog.errors import NeocogError, PictureError, UsageError
from neocog.evaluation.cost import Cost, Stopwatch
from neocog.evaluation.ensemble import Ensemble, ask
from neocog.evaluation.predictions import prediction_row
from neocog.evaluation.reading import Reading
from neocog.files import make_folder, write_atomically
from neocog.images import Picture, cover, decode, encode_png
from neocog.machine import usable_cores
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Prediction, pad_to_one_size
from neocog.tasks import Task

__all__ = ["Answer", "Answers", "picture_files", "predict", "save_drawings"]

DRAWN_AT_LEAST = (512, 512)


@dataclass(frozen=True)
class Answer:
    """What a network, or several together, said about one file.

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


class Answers(list[Answer]):
    """The answers in the order of the files, and what they cost.

    Args:
        answers: one for each file.
        cost: of the networks that answered together, and of the views.
    """

    def __init__(self, answers: Iterable[Answer], cost: Cost) -> None:
        super().__init__(answers)
        self.cost = cost


def predict(ensemble: Ensemble, paths: Sequence[Path], progress: Progress | None = None) -> Answers:
    """The answer for each file, in the order given; folders stand for the pictures below them.

    Args:
        ensemble: one network or several, and the views.
        paths: of files and folders.
        progress: told of every batch.

    Raises:
        UsageError: a path that is not there, or a folder without pictures.
        PictureError: not one of the files can be read.
    """
    files = picture_files(paths)
    answers: list[Answer] = []
    watches = [Stopwatch(warm=not ensemble.averages) for _ in ensemble.members]
    progress = progress or Silent()
    progress.start("predicting", len(files))
    with ThreadPoolExecutor(usable_cores()) as pool:
        remaining = iter(files)
        while group := list(islice(remaining, ensemble.pictures_at_once)):
            answers += _answer_group(ensemble, group, pool, watches)
            progress.advance(len(group))
    progress.done()
    errors = [answer.error for answer in answers if answer.error is not None]
    if len(errors) == len(files):
        others = f", and {len(files) - 1:,} more file{'s' if len(files) > 2 else ''} that cannot be read" if len(files) > 1 else ""
        raise PictureError(errors[0].expected, f"{files[0]}: {errors[0].found}{others}", errors[0].remedy)
    return Answers(answers, Cost.of(watches))


def save_drawings(trained: Trained, answers: Answers, folder: Path, progress: Progress | None = None) -> Answers:
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
    return Answers(drawn, answers.cost)


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


def _answer_group(ensemble: Ensemble, paths: Sequence[Path], pool: Executor, watches: Sequence[Stopwatch]) -> Iterator[Answer]:
    """Answers for some files, each read once for each way of reading; one that fails in any of them has failed."""
    task = ensemble.first.task
    readings = dict.fromkeys(member.reading for member in ensemble.members)
    read = {reading: list(pool.map(partial(_read, task, reading), paths)) for reading in readings}
    errors = [next((one for one in ways if isinstance(one, NeocogError)), None) for ways in zip(*read.values(), strict=True)]
    batches = {}
    for reading, pictures in read.items():
        usable = [one for one, error in zip(pictures, errors, strict=True) if error is None and isinstance(one, torch.Tensor)]
        if usable:
            batches[reading] = _batch(task, reading, usable)
    predictions = iter(_predictions(ensemble, batches, watches) if batches else ())
    for path, error in zip(paths, errors, strict=True):
        if error is not None:
            yield Answer(path, None, error, {})
        else:
            prediction = next(predictions)
            yield Answer(path, prediction, None, prediction_row(prediction, ensemble.first.class_names))


def _read(task: Task, reading: Reading, path: Path) -> Picture | NeocogError:
    """The picture as the task wants it: at least as large as the canvas, or every source pixel."""
    covers = task.fit(training=False) == "cover"
    try:
        data = read_file(path)
        return decode(data, channels="grey" if reading.channels == 1 else "rgb", at_least=reading.canvas if covers else None)
    except PictureError as error:
        return error


def _predictions(ensemble: Ensemble, batches: dict[Reading, Batch], watches: Sequence[Stopwatch]) -> list[Prediction]:
    asked = [ask(member, batches[member.reading], ensemble.views, watch) for member, watch in zip(ensemble.members, watches, strict=True)]
    return ensemble.first.task.decode(ensemble.average([one.outputs for one in asked]), asked[0].batch)


def _batch(task: Task, reading: Reading, pictures: Sequence[Picture]) -> Batch:
    """Canvases for a task that covers, whole pictures for the others."""
    sizes = torch.tensor([picture.shape[-2:] for picture in pictures])
    keys = torch.arange(len(pictures))
    if task.fit(training=False) == "cover":
        pixels = torch.stack([cover(picture, reading.canvas, reading.interpolation) for picture in pictures])
        return Batch(pixels, None, keys, sizes, fit_matrices("cover", sizes, reading.canvas))
    valid = pad_to_one_size([torch.ones(picture.shape[-2:], dtype=torch.bool) for picture in pictures], fill=0)
    return Batch(pad_to_one_size(pictures, fill=0), None, keys, sizes, torch.eye(3).repeat(len(pictures), 1, 1), valid)


def _names(folder: Path, stem: str) -> Iterator[Path]:
    yield folder / f"{stem}.png"
    for number in range(2, 1_000_000):
        yield folder / f"{stem}-{number}.png"
