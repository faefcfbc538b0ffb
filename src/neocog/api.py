"""What `import neocog` gives: training, evaluation and prediction, as on the command line."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Union

from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import Dataset
from neocog.data.open import open_dataset
from neocog.errors import UsageError
from neocog.evaluation import (
    Ensemble,
    Evaluation,
    Material,
    assemble,
    caveats,
    evaluate_together,
    given_pictures,
    match_classes,
    own_pictures,
    read_each,
    read_material,
)
from neocog.evaluation.saving import FILES, save_evaluation
from neocog.examine.linear_probes import PICTURES as MOST_FITTED
from neocog.examine.linear_probes import PROBES, LinearProbes, linear_probes, require_stages, save_probes
from neocog.examine.shift_consistency import ShiftConsistency, shift_consistency
from neocog.files import make_folder
from neocog.prediction import Answers, predict, save_drawings
from neocog.progress import Progress, Silent, open_progress
from neocog.recipe import Recipe, chosen_over, read_recipe
from neocog.run import RunFolder, Trained, load_run, make_on_the_spot
from neocog.run.folder import RECIPE, SPLITS
from neocog.training import resume as resume_training
from neocog.training import train as run_training
from neocog.training.train import Result, result_of

__all__ = ["Run", "open_run", "pretrained", "resume", "train"]

Place = str | PathLike[str]
Together = Union["Run", Place, Sequence[Union["Run", Place]]]


class _Asked(NamedTuple):
    """Pictures that a network is asked about, and their split."""

    material: Material
    split: str
    rows: Int64[Tensor, "n"]


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
        self,
        data: Place | None = None,
        *,
        split: str | None = None,
        together_with: "Together" = (),
        tta: str | Sequence[str] = (),
        save: Place | None = None,
        progress: bool = True,
    ) -> Evaluation:
        """Ask the network about pictures whose classes are known; with others or in several views the answers are averaged.

        Writes predictions.parquet, evaluation.json and, for a classification, confusion_matrix.png and
        mistakes.png: into the run's folder for its own data, into `save` where it is given, else nowhere. Averaged
        answers are not the run's own and go nowhere but into `save`.

        Args:
            data: name or path of a dataset; None takes the data that it was trained on.
            split: "train", "val" or "test"; None takes test, else val, else all pictures, of its own data those of train.
            together_with: other runs, or their folders, that know the same classes; the mean of the class probabilities counts.
            tta: names of the views that each picture is seen in (test-time augmentation), as "flip" or ["crops", "flip"].
            save: folder for what is written; it may hold an earlier evaluation, which is replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: no such data or split, networks that do not go together, or `save` is another run's folder or holds
                somebody else's files.
            DataError: the data cannot be used, or have classes that the network does not know.
        """
        ensemble = self._ensemble(together_with, tta)
        folder = self._folder(data, save, FILES, own=not ensemble.averages)
        with _progress(progress) as shown:
            dataset = self._own_dataset() if data is None else open_dataset(str(data), task=self.trained.task_name)
            classes = match_classes(dataset, self.trained)
            allow_bad = data is not None or self.recipe.allow_bad
            readings = [member.reading for member in ensemble.members]
            materials = read_each(dataset, self.trained.task, readings, allow_bad=allow_bad, progress=shown)
            name, rows = self._pictures(materials[0], data, split)
            loaders = [material.loader for material in materials]
            evaluation = evaluate_together(ensemble, loaders, rows, split=name, classes=classes, progress=shown)
            evaluation = replace(evaluation, notes=caveats(ensemble, materials[0], rows))
        return evaluation if folder is None else replace(evaluation, files=save_evaluation(folder, evaluation, dataset, self.trained))

    def predict(
        self,
        *pictures: Place,
        together_with: "Together" = (),
        tta: str | Sequence[str] = (),
        save: Place | None = None,
        progress: bool = True,
    ) -> Answers:
        """Ask the network about picture files, or folders of them; with others or in several views the answers are averaged.

        Args:
            pictures: paths.
            together_with: as for `evaluate`.
            tta: as for `evaluate`.
            save: folder for the pictures with the answers drawn on them; no file in it is replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: a path that is not there, or networks that do not go together.
            PictureError: not one file can be read; where some can, the others' answers carry the error.
        """
        ensemble = self._ensemble(together_with, tta)
        with _progress(progress) as shown:
            answers = predict(ensemble, [Path(picture) for picture in pictures], shown)
            return answers if save is None else save_drawings(self.trained, answers, Path(save), shown)

    def linear_probes(
        self,
        data: Place | None = None,
        *,
        split: str | None = None,
        pictures: int = MOST_FITTED,
        save: Place | None = None,
        progress: bool = True,
    ) -> LinearProbes:
        """How linearly separable the classes are after each stage, told by classifiers fitted to training pictures.

        Writes linear_probes.png and linear_probes.json: into the run's folder for its own data, into `save` where it
        is given, else nowhere.

        Args:
            data: name or path of a dataset that has training pictures; None takes the data that it was trained on.
            split: "val" or "test", to measure the classifiers on; None takes test, else val.
            pictures: most training pictures that they are fitted on.
            save: folder for what is written; it may hold earlier probes, which are replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: no such data or split, no stages, or `save` is another run's folder or holds somebody else's files.
            DataError: the data cannot be used, or are all of one class.
        """
        folder = self._folder(data, save, PROBES)
        require_stages(self.trained)
        with _progress(progress) as shown:
            asked = self._ask(data, split, shown, trains=True)
            train = self._pictures(asked.material, data, "train")[1]
            loader = asked.material.loader
            found = linear_probes(self.trained, loader, train, asked.rows, split=asked.split, pictures=pictures, progress=shown)
        if folder is None:
            return found
        make_folder(folder)
        return replace(found, files=save_probes(folder, found, f"{self.trained.name} on {asked.material.dataset.name}, {asked.split}"))

    def shift_consistency(
        self, data: Place | None = None, *, split: str | None = None, shift: int | None = None, progress: bool = True
    ) -> ShiftConsistency:
        """How often the decision stays the same when the picture is shifted.

        Args:
            data: name or path of a dataset; None takes the data that it was trained on.
            split: as in `evaluate`.
            shift: the largest, in pixels of the network's input; None takes one that suits its size.
            progress: whether to show how far it is.

        Raises:
            UsageError: no such data or split, or a shift of no pixels or by the whole picture.
            DataError: the data cannot be used.
        """
        with _progress(progress) as shown:
            asked = self._ask(data, split, shown)
            return shift_consistency(self.trained, asked.material.loader, asked.rows, shift=shift, split=asked.split, progress=shown)

    def _ask(self, data: Place | None, split: str | None, shown: Progress, *, trains: bool = False) -> _Asked:
        """Read the data, and choose the pictures to ask about.

        Args:
            trains: whether something is fitted to the train split, so that the pictures must be others.
        """
        dataset = self._own_dataset() if data is None else open_dataset(str(data), task=self.trained.task_name)
        if trains and data is not None and "train" not in dataset.given_splits():
            found = ", ".join(dataset.given_splits()) or "no splits"
            raise UsageError(f"a train split of {dataset.name}, to fit on", found, "name the run alone: it knows what it was trained on")
        allow_bad = data is not None or self.recipe.allow_bad
        material = read_material(dataset, self.trained.task, self.trained.preprocess, allow_bad=allow_bad, progress=shown)
        name, rows = self._pictures(material, data, split)
        if trains and name not in ("val", "test"):
            raise UsageError(
                f"a val or test split of {dataset.name}, beside what is fitted on", name, "choose another split, or other data"
            )
        return _Asked(material, name, rows)

    def _pictures(self, material: Material, data: Place | None, split: str | None) -> tuple[str, Int64[Tensor, "n"]]:
        """The name and the pictures of a split, of the run's own where no other data are given."""
        run = self.trained.folder if data is None else None
        return given_pictures(material, split) if run is None else own_pictures(material, run.require(SPLITS), split)

    def _ensemble(self, together_with: "Together", tta: str | Sequence[str]) -> Ensemble:
        """The network with others, and the views."""
        others: Sequence[Run | Place] = [together_with] if isinstance(together_with, str | PathLike | Run) else together_with
        runs = [other if isinstance(other, Run) else open_run(other) for other in others]
        return assemble([self.trained, *(run.trained for run in runs)], [tta] if isinstance(tta, str) else tta)

    def _folder(self, data: Place | None, save: Place | None, names: Sequence[str], *, own: bool = True) -> Path | None:
        """Where files of these names go: into the place that is given, else the run's own for its own data; None for nowhere.

        Args:
            own: whether the run's own folder may take them.
        """
        folder = Path(save) if save is not None else self.path if data is None and own else None
        if folder is not None and not (own and self._is_own(folder)):
            _require_place(folder, names)
        return folder

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


def train(
    dataset: Place | None = None,
    *,
    out: Place | None = None,
    recipe: Place | Recipe | None = None,
    find_lr: bool = False,
    profile: bool = False,
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
        profile: whether to measure where the time of the epochs goes; `Run.result.profile` has it, and profile.json.
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
        result = run_training(chosen, None if out is None else Path(out), shown, options, find_rate=find_lr, profile=profile)
    return Run(load_run(RunFolder.open(result.run)))


def resume(run: Place, *, profile: bool = False, progress: bool = True) -> Run:
    """Go on with a training that was stopped, to the same bits as if it had not been.

    Args:
        run: its folder.
        profile: as for `train`.
        progress: whether to show how far it is.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
        DataError: the data are not what the run was begun with.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    with _progress(progress) as shown:
        result = resume_training(Path(run), shown, profile=profile)
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


def _require_place(folder: Path, names: Sequence[str]) -> None:
    """Check that files can be written to a folder without loss of what somebody else wrote.

    Args:
        folder: which.
        names: of the files, first that one which tells that the others are ours.

    Raises:
        UsageError: it is the folder of a run, or has files of these names without the first.
    """
    expected, remedy = "a folder for the evaluation that holds no other work", "choose another place with --save"
    if (folder / RECIPE).is_file():
        raise UsageError(expected, f"{folder}, a run", remedy)
    held = [name for name in names if (folder / name).exists()]
    if held and names[0] not in held:
        raise UsageError(expected, f"{folder / held[0]}, which no evaluation wrote", remedy)


def _progress(shown: bool) -> Progress:
    return open_progress() if shown else Silent()
