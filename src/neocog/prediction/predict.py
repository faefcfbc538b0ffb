"""Predict picture files, each on its own terms: a file that cannot be read is named, the others are answered."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from neocog.batch import Batch
from neocog.data.files import read_file
from neocog.draw.mask import mask_file
from neocog.draw.segmentation import LONGEST_SIDE, smaller
from neocog.engine.allocator import give_back
from neocog.errors import NeocogError, PictureError
from neocog.evaluation.cost import Cost, Stopwatch
from neocog.evaluation.ensemble import Ensemble, ask
from neocog.evaluation.picture_files import batch_of, picture_files, read_picture
from neocog.evaluation.predictions import prediction_row
from neocog.evaluation.reading import Reading
from neocog.files import make_folder, write_atomically
from neocog.images import Picture, Size, decode, encode_png, resize
from neocog.machine import usable_cores
from neocog.prediction.restored import read_as_it_is, restore, write_restored
from neocog.prediction.segmented import segment_in_tiles
from neocog.progress import Progress, Silent
from neocog.run import Trained
from neocog.targets import Clean, Mask, Prediction
from neocog.tasks import Task
from neocog.tasks.denoise import LARGEST_WHOLE, middle

__all__ = ["Answer", "Answers", "predict", "save_drawings"]

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
        restored: file of the picture without its noise, where the task is denoise and one was asked for.
        mask: file of the classes' numbers, where the task is segment and one was asked for.
        shown: as much of the picture as a drawing shows, where it is large; None where it is to be read again.
    """

    path: Path
    prediction: Prediction | None
    error: NeocogError | None
    row: dict[str, Any]
    drawing: Path | None = None
    restored: Path | None = None
    mask: Path | None = None
    shown: Picture | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON."""
        if self.error is not None:
            return {"picture": str(self.path), "error": self.error.found}
        written = {"drawing": self.drawing, "restored": self.restored, "mask": self.mask}
        files = {name: str(path) for name, path in written.items() if path is not None}
        return {"picture": str(self.path), **self.row, **files}


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
    alone = ALONE.get(ensemble.first.task_name) if _by_tiles(ensemble) else None
    answers: list[Answer] = []
    watches = [Stopwatch(warm=not ensemble.averages) for _ in ensemble.members]
    progress = progress or Silent()
    progress.start("predicting", len(files))
    with ThreadPoolExecutor(usable_cores()) as pool:
        remaining = iter(files)
        while group := list(islice(remaining, ensemble.pictures_at_once)):
            if alone is None:
                answers += _answer_group(ensemble, group, pool, watches)
            else:
                answers += _answer_alone(ensemble, alone, group, watches)
            progress.advance(len(group))
    progress.done()
    if alone is not None:
        give_back()  # what windows took, before large pictures are drawn and written
    errors = [answer.error for answer in answers if answer.error is not None]
    if len(errors) == len(files):
        others = f", and {len(files) - 1:,} more file{'s' if len(files) > 2 else ''} that cannot be read" if len(files) > 1 else ""
        raise PictureError(errors[0].expected, f"{files[0]}: {errors[0].found}{others}", errors[0].remedy)
    return Answers(answers, Cost.of(watches))


def save_drawings(trained: Trained, answers: Answers, folder: Path, progress: Progress | None = None) -> Answers:
    """Write each answered picture with its answer drawn on it, as <name>.png; where there is such a file, with a number.

    Of denoising the restored pictures have these names, and the drawings stand beside them as <name>-strip.png. Of
    segmentation the classes' numbers stand beside the drawings as <name>-classes.png.

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
        if answer.prediction is not None and isinstance(answer.prediction.answer, Clean):
            answer = _save_restored(trained, answer, answer.prediction.answer, folder)
        elif answer.prediction is not None and isinstance(answer.prediction.answer, Mask):
            answer = _save_mask(trained, answer, answer.prediction, folder)
        elif answer.prediction is not None:
            picture = decode(read_file(answer.path), at_least=at_least)
            path = _free(folder, answer.path.stem)
            write_atomically(path, encode_png(trained.task.draw(picture, answer.prediction)))
            answer = replace(answer, drawing=path)
        drawn.append(answer)
    progress.done()
    return Answers(drawn, answers.cost)


def _save_mask(trained: Trained, answer: Answer, prediction: Prediction, folder: Path) -> Answer:
    """The classes as a file of numbers, and the picture with their colours over it, which need not be read as large as it is."""
    assert isinstance(prediction.answer, Mask)
    height, width = prediction.answer.classes.shape
    picture = answer.shown
    if picture is None:
        picture = decode(read_file(answer.path), at_least=_drawn_size((height, width)))
    shown = Prediction(smaller(prediction.answer, (picture.shape[-2], picture.shape[-1])))
    path = _free(folder, answer.path.stem)
    write_atomically(path, encode_png(trained.task.draw(picture, shown)))
    mask = _free(folder, f"{path.stem}-classes")
    write_atomically(mask, mask_file(prediction.answer))
    return replace(answer, mask=mask, drawing=path)


def _save_restored(trained: Trained, answer: Answer, clean: Clean, folder: Path) -> Answer:
    path = _free(folder, answer.path.stem)
    write_restored(path, clean, answer.path)
    strip = _free(folder, f"{path.stem}-strip")
    before = read_as_it_is(answer.path) if answer.shown is None else answer.shown
    write_atomically(strip, encode_png(trained.task.draw(before, Prediction(clean))))
    return replace(answer, restored=path, drawing=strip)


def _drawn_size(size: Size) -> Size:
    """Height and width that a drawing of a segmentation has at most."""
    share = min(1.0, LONGEST_SIDE / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


SHOWN: Mapping[str, Callable[[Picture], Picture]] = {
    "denoise": lambda picture: middle(picture).clone(),
    "segment": lambda picture: resize(picture, _drawn_size((picture.shape[-2], picture.shape[-1]))),
}
"""What a drawing shows of a large picture, by the task's name: read a second time it would lie in memory beside its answer."""


def _shown(task_name: str, picture: Picture) -> Picture | None:
    """See `Answer.shown`; one that a segmentation saw in grey is read again, as it is drawn in its colours."""
    if max(picture.shape[-2:]) <= LARGEST_WHOLE or task_name not in SHOWN or (task_name == "segment" and len(picture) == 1):
        return None
    return SHOWN[task_name](picture)


@dataclass(frozen=True)
class Alone:
    """How a task answers about pictures in their own pixels, one by one, as each may be large.

    Attributes:
        read: (file, task, reading) -> the picture.
        answer: (networks and views, picture, watches) -> the answer.
    """

    read: Callable[[Path, Task, Reading], Picture]
    answer: Callable[[Ensemble, Picture, Sequence[Stopwatch]], Prediction]


ALONE: Mapping[str, Alone] = {
    "denoise": Alone(
        lambda path, task, reading: read_as_it_is(path),
        lambda ensemble, picture, watches: Prediction(restore(ensemble, picture, watches)),
    ),
    "segment": Alone(read_picture, segment_in_tiles),
}
"""By the task's name."""


def _by_tiles(ensemble: Ensemble) -> bool:
    """Whether all networks answer about pictures in their own pixels, read alike, and nothing needs the answers of all of a picture."""
    native = all(member.trained.task.fit(training=False) == "native" for member in ensemble.members)
    return native and ensemble.crf is None and len({member.reading.channels for member in ensemble.members}) == 1


def _answer_alone(ensemble: Ensemble, alone: Alone, paths: Sequence[Path], watches: Sequence[Stopwatch]) -> Iterator[Answer]:
    trained, reading = ensemble.first, ensemble.members[0].reading
    for path in paths:
        try:
            picture = alone.read(path, trained.task, reading)
        except PictureError as error:
            yield Answer(path, None, error, {})
            continue
        shown, prediction = _shown(trained.task_name, picture), alone.answer(ensemble, picture, watches)
        yield Answer(path, prediction, None, prediction_row(prediction, trained.class_names), shown=shown)


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
            batches[reading] = batch_of(usable, task, reading)
    shown = [picture for picture in read[ensemble.members[0].reading] if isinstance(picture, torch.Tensor)]
    predictions = iter(_predictions(ensemble, batches, shown, watches) if batches else ())
    for path, error, picture in zip(paths, errors, read[ensemble.members[0].reading], strict=True):
        if error is not None or isinstance(picture, NeocogError):
            yield Answer(path, None, error, {})
        else:
            prediction, drawn = next(predictions), _shown(ensemble.first.task_name, picture)
            yield Answer(path, prediction, None, prediction_row(prediction, ensemble.first.class_names), shown=drawn)


def _read(task: Task, reading: Reading, path: Path) -> Picture | NeocogError:
    try:
        return read_picture(path, task, reading)
    except PictureError as error:
        return error


def _predictions(
    ensemble: Ensemble, batches: dict[Reading, Batch], pictures: Sequence[Picture], watches: Sequence[Stopwatch]
) -> list[Prediction]:
    asked = [ask(member, batches[member.reading], ensemble.views, watch) for member, watch in zip(ensemble.members, watches, strict=True)]
    outputs = ensemble.average([one.outputs for one in asked])
    return ensemble.first.task.decode(*ensemble.refined(outputs, asked[0].batch, pictures.__getitem__))


def _free(folder: Path, stem: str) -> Path:
    """The first name that no file has."""
    return next(path for path in _names(folder, stem) if not path.exists())


def _names(folder: Path, stem: str) -> Iterator[Path]:
    yield folder / f"{stem}.png"
    for number in range(2, 1_000_000):
        yield folder / f"{stem}-{number}.png"
