"""The fully connected conditional random field behind a segmentation's answers, and the search for its parameters."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.batch import Batch
from neocog.data.loader import Loader
from neocog.errors import RecipeError, RunError, UsageError
from neocog.evaluation.answers import answers
from neocog.files import write_json
from neocog.images import Picture
from neocog.layers import DenseCrf, DenseCrfOptions
from neocog.options import options_of
from neocog.progress import Progress
from neocog.run import Trained
from neocog.targets import Mask
from neocog.tasks import HasProbabilities, Task

__all__ = ["CRF", "CrfSearch", "crf_of", "refined", "require_probabilities", "search_crf"]

CRF = "crf.json"
"""Name of the file in a run that holds the parameters which were searched."""

PICTURES_SEARCHED = 10
TRIED: Mapping[str, tuple[float, ...]] = {
    "appearance": (2.0, 5.0, 10.0),
    "near": (20.0, 40.0, 80.0),
    "alike": (5.0, 10.0, 20.0),
    "smoothness": (0.0, 3.0),
}
"""Values of one parameter after the other, the others as they are best so far."""


def require_probabilities(task: Task, name: str) -> HasProbabilities:
    """The task, where it gives the classes of pixels probabilities.

    Raises:
        UsageError: it does not.
    """
    if not isinstance(task, HasProbabilities):
        raise UsageError("a network that segments, for --crf", f"one to {name}", "leave --crf away")
    return task


def crf_of(folder: Path | None) -> DenseCrfOptions:
    """The parameters that were searched for a run; the usual ones where none were.

    Raises:
        RunError: the file is damaged.
    """
    path = None if folder is None else folder / CRF
    if path is None or not path.is_file():
        return DenseCrfOptions()
    try:
        return options_of(DenseCrfOptions, json.loads(path.read_text(encoding="utf-8"))["options"], CRF)
    except (OSError, ValueError, KeyError, TypeError, RecipeError) as error:
        raise RunError(f"a whole {CRF}", f"{path}, damaged", "take it away, or search again with --crf search") from error


def refined(
    task: HasProbabilities, options: DenseCrfOptions, outputs: Tensor, batch: Batch, picture_of: Callable[[int], Picture]
) -> tuple[Float[Tensor, "1 k h w"], Batch]:
    """Answers at the source's size, sharpened along the edges of the picture.

    Args:
        task: of the network.
        options: of the field.
        outputs: the network's, about one picture.
        batch: with this picture.
        picture_of: gives the picture of a key, in source pixels.

    Returns:
        the logarithms of the marginals, and the batch in source pixels, without what is known about it.
    """
    (probabilities,) = task.probabilities(outputs, batch)
    picture = picture_of(int(batch.keys[0]))
    marginals = DenseCrf(picture, options).marginals(probabilities)
    shown = replace(batch, pixels=picture[None], targets=None, to_input=torch.eye(3)[None], valid=None)
    return marginals.clamp(min=1e-12).log()[None], shown


@dataclass(frozen=True)
class CrfSearch:
    """What a search came to.

    Attributes:
        options: the best parameters.
        pictures: how many were asked about.
        before: mean intersection over union without the field.
        after: with it.
    """

    options: DenseCrfOptions
    pictures: int
    before: float
    after: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def search_crf(trained: Trained, loader: Loader, rows: Int64[Tensor, "n"], progress: Progress) -> CrfSearch:
    """Try values of the field's parameters one after the other on some pictures, and keep the best in the run.

    Args:
        trained: a network that segments, out of a run.
        loader: of the dataset.
        rows: pictures of the validation split; evenly spaced ones of many are taken.
        progress: told of every trial.

    Raises:
        UsageError: the network does not segment, or has no run.
    """
    task = require_probabilities(trained.task, trained.task_name)
    if trained.folder is None:
        raise UsageError("a run, to keep the parameters in", "a network made on the spot", "leave the search away")
    chosen = rows[:: max(1, -(-len(rows) // PICTURES_SEARCHED))]
    asked = list(_asked(trained, task, loader, chosen))
    progress.start("searching parameters of the field", 1 + sum(len(values) - 1 for values in TRIED.values()))
    best = DenseCrfOptions()
    before, score = _score(trained.task, asked, None), _score(trained.task, asked, best)
    progress.advance()
    for name, values in TRIED.items():
        for value in values:
            trial = options_of(DenseCrfOptions, {**asdict(best), name: value}, CRF)
            if trial == best:
                continue
            found = _score(trained.task, asked, trial)
            progress.advance(1, f"{name} {value:g}: {found:.4f}")
            if found > score:
                best, score = trial, found
    progress.done()
    result = CrfSearch(best, len(chosen), before, score)
    write_json(trained.folder.path / CRF, result.to_dict())
    return result


@dataclass(frozen=True)
class _Asked:
    probabilities: Tensor
    picture: Picture
    truth: Mask


def _asked(trained: Trained, task: HasProbabilities, loader: Loader, rows: Tensor) -> Iterator[_Asked]:
    for outputs, batch in answers(trained.model, trained.task, trained.plan, loader, rows):
        for probabilities, key in zip(task.probabilities(outputs, batch), batch.keys.tolist(), strict=True):
            truth = loader.truth(key)
            assert isinstance(truth, Mask)  # the task has probabilities for pixels
            yield _Asked(probabilities, loader.dataset.picture(key), truth)


def _score(task: Task, asked: list[_Asked], options: DenseCrfOptions | None) -> float:
    """Mean intersection over union, through the field where options are given."""
    sums = task.metrics()
    for one in asked:
        answer = one.probabilities if options is None else DenseCrf(one.picture, options).marginals(one.probabilities)
        classes = answer.argmax(dim=0).to(torch.int32).to(torch.uint16)
        sums.update([Mask(classes.cpu())], [one.truth])
    return sums.compute()[sums.primary]
