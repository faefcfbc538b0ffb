"""What `import neocog` gives: training, evaluation and prediction, as on the command line."""

from dataclasses import fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from neocog.data.dataset import Dataset
from neocog.data.open import open_dataset
from neocog.errors import UsageError
from neocog.evaluation import (
    Evaluation,
    evaluate,
    given_pictures,
    match_classes,
    own_pictures,
    read_material,
    save_pictures,
    write_predictions,
)
from neocog.evaluation.pictures import PICTURES
from neocog.files import make_folder, write_json
from neocog.prediction import Answer, predict, save_drawings
from neocog.progress import Progress, Silent, open_progress
from neocog.recipe import Recipe, chosen_over, read_recipe
from neocog.run import RunFolder, Trained, load_run, make_on_the_spot
from neocog.run.folder import PREDICTIONS, RECIPE, SPLITS
from neocog.training import resume as resume_training
from neocog.training import train as run_training
from neocog.training.train import Result, result_of

__all__ = ["Run", "open_run", "pretrained", "resume", "train"]

Place = str | PathLike[str]

EVALUATION = "evaluation.json"


class Run:
    """A trained network, out of a run folder or made on the spot.

    Args:
        trained: the network and its task.
    """

    def __init__(self, trained: Trained) -> None:
        self.trained = trained

    def __repr__(self) -> str:
        where = f" in {self.path}" if self.path is not None else ""
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in self.metrics.items() if name.endswith("/accuracy"))
        return f"<Run of {self.trained.name}{where}{': ' + metrics if metrics else ''}>"

    @property
    def path(self) -> Path | None:
        """The run's folder; None when the network was made on the spot."""
        return self.trained.folder.path if self.trained.folder is not None else None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the network's outputs."""
        return self.trained.class_names

    @property
    def metrics(self) -> dict[str, float]:
        """Of the best weights, by names such as "test/accuracy"; empty while the training has not ended."""
        folder = self.trained.folder
        return dict(folder.manifest()["metrics"]) if folder is not None and folder.finished else {}

    @property
    def result(self) -> Result | None:
        """What its training came to, or has come to so far; None when it was made on the spot."""
        return result_of(self.trained.folder) if self.trained.folder is not None else None

    @cached_property
    def recipe(self) -> Recipe:
        """All choices of the training.

        Raises:
            UsageError: the network was made on the spot.
        """
        if self.trained.folder is None:
            raise UsageError("a run", f"{self.trained.name}, which was made on the spot", "train it first")
        return self.trained.folder.recipe()

    def evaluate(
        self, data: Place | None = None, *, split: str | None = None, save: Place | None = None, progress: bool = True
    ) -> Evaluation:
        """Ask the network about pictures whose classes are known.

        Writes predictions.parquet, evaluation.json and, for a classification, confusion_matrix.png and
        mistakes.png: into the run's folder for its own data, into `save` where it is given, else nowhere.

        Args:
            data: name or path of a dataset; None takes the data that it was trained on.
            split: "train", "val" or "test"; None takes test, else val, else all pictures, of its own data those of train.
            save: folder for what is written; it may hold an earlier evaluation, which is replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: no such data or split, or `save` is another run's folder or holds somebody else's files.
            DataError: the data cannot be used, or have classes that the network does not know.
        """
        folder = Path(save) if save is not None else self.path if data is None else None
        if folder is not None and not self._is_own(folder):
            _require_place(folder)
        with _progress(progress) as shown:
            dataset = self._own_dataset() if data is None else open_dataset(str(data), task=self.trained.task_name)
            classes = match_classes(dataset, self.trained)
            allow_bad = data is not None or self.recipe.allow_bad
            material = read_material(dataset, self.trained.task, self.trained.preprocess, allow_bad=allow_bad, progress=shown)
            run = self.trained.folder if data is None else None
            name, rows = given_pictures(material, split) if run is None else own_pictures(material, run.require(SPLITS), split)
            evaluation = evaluate(self.trained, material.loader, rows, split=name, classes=classes, progress=shown)
        return evaluation if folder is None else replace(evaluation, files=self._save(folder, evaluation, dataset))

    def predict(self, *pictures: Place, save: Place | None = None, progress: bool = True) -> list[Answer]:
        """Ask the network about picture files, or folders of them.

        Args:
            pictures: paths.
            save: folder for the pictures with the answers drawn on them; no file in it is replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: a path that is not there.
            PictureError: not one file can be read; where some can, the others' answers carry the error.
        """
        with _progress(progress) as shown:
            answers = predict(self.trained, [Path(picture) for picture in pictures], shown)
            return answers if save is None else save_drawings(self.trained, answers, Path(save), shown)

    def _own_dataset(self) -> Dataset:
        """What the network was trained on.

        Raises:
            UsageError: it was made on the spot.
        """
        if self.trained.folder is None:
            raise UsageError("data to evaluate on", f"none, and {self.trained.name} was made on the spot", "name a dataset")
        return open_dataset(self.recipe.dataset, task=self.recipe.task, **self.recipe.dataset_options)

    def _is_own(self, folder: Path) -> bool:
        """Whether a folder is the run's."""
        return self.path is not None and folder.resolve() == self.path.resolve()

    def _save(self, folder: Path, evaluation: Evaluation, dataset: Dataset) -> tuple[Path, ...]:
        make_folder(folder)
        write_predictions(folder / PREDICTIONS, evaluation, dataset, self.class_names)
        run = self.trained.folder
        if run is not None and run.finished and self._is_own(folder):
            run.renew_hash(PREDICTIONS)
        pictures = save_pictures(folder, evaluation, dataset, self.trained)
        facts = {"dataset": dataset.name, "pictures": len(evaluation.indices), "metrics": evaluation.named_metrics()}
        write_json(folder / EVALUATION, facts)
        return folder / PREDICTIONS, folder / EVALUATION, *pictures


def train(
    dataset: Place | None = None,
    *,
    out: Place | None = None,
    recipe: Place | Recipe | None = None,
    find_lr: bool = False,
    progress: bool = True,
    **choices: Any,
) -> Run:
    """Train a network.

        run = neocog.train("photos/", model="resnet18", epochs=5)

    Args:
        dataset: name or path; None takes the recipe's.
        out: the run's folder; None takes the next free runs/<dataset>-<model>-<n>.
        recipe: to begin from; `choices` go before it. Another member than the recipe's leaves the options of
            that one behind.
        find_lr: whether to find the learning rate by a short trial first; its curve is kept in the run.
        progress: whether to show how far it is.
        choices: fields of `Recipe`, and options of the members that are chosen ("label_smoothing").

    Raises:
        UsageError: an unknown name or a wrong value.
        DataError: the data cannot be used.
        SurroundingsError: no room, no memory, no permission.
        DivergedError: the loss is no longer a number.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    start = recipe if isinstance(recipe, Recipe) else Recipe() if recipe is None else read_recipe(Path(recipe))
    own = {item.name for item in fields(Recipe)}
    given = {name: value for name, value in choices.items() if name in own}
    if dataset is not None:
        given["dataset"] = str(dataset)
    chosen = chosen_over(start, given)
    if not chosen.dataset:
        raise UsageError("the name of a dataset or the path of a folder", "neither", "give one, as digits")
    options = {name: value for name, value in choices.items() if name not in own}
    with _progress(progress) as shown:
        result = run_training(chosen, None if out is None else Path(out), shown, options, find_rate=find_lr)
    return Run(load_run(RunFolder.open(result.run)))


def resume(run: Place, *, progress: bool = True) -> Run:
    """Go on with a training that was stopped, to the same bits as if it had not been.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
        DataError: the data are not what the run was begun with.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    with _progress(progress) as shown:
        result = resume_training(Path(run), shown)
    return Run(load_run(RunFolder.open(result.run)))


def open_run(run: Place) -> Run:
    """A run that is there.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
    """
    return Run(load_run(RunFolder.open(Path(run))))


def pretrained(name: str, *, weights: Place | None, classes: Place | None = None, **options: Any) -> Run:
    """A network made on the spot, to be asked as a run is.

    Args:
        name: of the architecture.
        weights: file of weights, or the name of published ones, as "imagenet"; None for random ones, with which its
            answers mean nothing.
        classes: text file with one class name a line.
        options: of the architecture.

    Raises:
        UsageError: an unknown name or option, or another number of classes.
        SurroundingsError: the published weights are not here.
        WeightsError: the weights cannot be used.
    """
    given = weights if isinstance(weights, str) or weights is None else Path(weights)
    return Run(make_on_the_spot(name, given, None if classes is None else Path(classes), options=options))


def _require_place(folder: Path) -> None:
    """Check that an evaluation can be written to a folder without loss of what somebody else wrote.

    Raises:
        UsageError: it is the folder of a run, or has files of the evaluation's names and no evaluation.
    """
    expected, remedy = "a folder for the evaluation that holds no other work", "choose another place with --save"
    if (folder / RECIPE).is_file():
        raise UsageError(expected, f"{folder}, a run", remedy)
    held = [name for name in (PREDICTIONS, *PICTURES) if (folder / name).exists()]
    if held and not (folder / EVALUATION).is_file():
        raise UsageError(expected, f"{folder / held[0]}, which no evaluation wrote", remedy)


def _progress(shown: bool) -> Progress:
    return open_progress() if shown else Silent()
