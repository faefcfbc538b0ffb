"""A trained network, and what can be asked of it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Union

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
    crf_of,
    evaluate_together,
    given_pictures,
    match_classes,
    own_pictures,
    read_each,
    read_material,
    refuse_pairs,
    search_crf,
    with_baselines,
    with_noise,
)
from neocog.evaluation.saving import FILES, refuse_foreign, save_evaluation
from neocog.examine.linear_probes import PICTURES as MOST_FITTED
from neocog.examine.linear_probes import PROBES, LinearProbes, linear_probes, require_stages, save_probes
from neocog.examine.member import Asked, Explanation
from neocog.examine.saving import require_place, save_findings
from neocog.examine.shift_consistency import ShiftConsistency, shift_consistency
from neocog.examine.stressing import ATTACK, stress
from neocog.files import make_folder
from neocog.prediction import Answers, predict, save_drawings
from neocog.progress import Progress, shown_or_silent
from neocog.recipe import Recipe
from neocog.run import RunFolder, Trained, load_run, make_on_the_spot
from neocog.run.folder import SPLITS
from neocog.training.train import Result, result_of

__all__ = ["Run", "open_run", "pretrained"]

Place = str | PathLike[str]
EXPLAIN = "explain"
"""Folder of a run that `Run.explain` writes into, and the kind of its record."""

Together = Union["Run", Place, Sequence[Union["Run", Place]]]


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
        crf: bool | Literal["search"] = False,
        save: Place | None = None,
        progress: bool = True,
        **noise: Any,
    ) -> Evaluation:
        """Ask the network about pictures whose classes are known; with others or in several views the answers are averaged.

        Writes predictions.parquet, evaluation.json and pictures of what went wrong: into the run's folder for its own
        data, into `save` where it is given, else nowhere. Averaged or sharpened answers, and those about other noise than the
        training's, go nowhere but into `save`.

        Args:
            data: name or path of a dataset; None takes the data that it was trained on.
            split: "train", "val" or "test"; None takes test, else val, else all pictures, of its own data those of train.
            together_with: other runs, or their folders, that know the same classes; the mean of the class probabilities, or of the
                restored pictures, counts.
            tta: names of the views that each picture is seen in (test-time augmentation), as "flip" or ["crops", "flip"].
            crf: whether a fully connected CRF sharpens a segmentation; "search" finds its parameters on the run's validation split first.
            save: folder for what is written; it may hold an earlier evaluation, which is replaced.
            progress: whether to show how far it is.
            noise: of a denoising, what is added to the clean pictures in place of the training's noise: fields of
                `neocog.evaluation.OtherNoise`, as `sigma=(15.0,)`, or `noise="poisson", peak=(10.0,)`.

        Raises:
            UsageError: no such data or split, networks that do not go together, noise for a network or for pictures that
                take none, or `save` is another run's folder or holds somebody else's files.
            DataError: the data cannot be used, or have classes that the network does not know.
        """
        trained = with_noise(self.trained, noise)
        ensemble = self._ensemble(trained, together_with, tta, crf=bool(crf))
        folder = self._folder(data, save, FILES, own=not (ensemble.averages or crf) and trained is self.trained)
        with shown_or_silent(progress) as shown:
            dataset = self._own_dataset() if data is None else open_dataset(str(data), task=trained.task_name)
            refuse_pairs(dataset, noise)
            classes = match_classes(dataset, trained)
            allow_bad = data is not None or self.recipe.allow_bad
            readings = [member.reading for member in ensemble.members]
            materials = read_each(dataset, trained.task, readings, allow_bad=allow_bad, progress=shown)
            name, rows = self._pictures(materials[0], data, split)
            loaders = [material.loader for material in materials]
            if crf == "search":
                found = search_crf(trained, loaders[0], self._pictures(materials[0], data, "val")[1], shown)
                ensemble = replace(ensemble, crf=found.options)
            evaluation = evaluate_together(ensemble, loaders, rows, split=name, classes=classes, progress=shown)
            evaluation = replace(evaluation, notes=caveats(ensemble, materials[0], rows))
            evaluation = with_baselines(evaluation, trained.task, loaders[0], rows, shown)
        return evaluation if folder is None else replace(evaluation, files=save_evaluation(folder, evaluation, dataset, trained))

    def predict(
        self,
        *pictures: Place,
        together_with: "Together" = (),
        tta: str | Sequence[str] = (),
        crf: bool = False,
        save: Place | None = None,
        progress: bool = True,
    ) -> Answers:
        """Ask the network about picture files, or folders of them; with others or in several views the answers are averaged.

        Args:
            pictures: paths.
            together_with: as for `evaluate`.
            tta: as for `evaluate`.
            crf: whether a fully connected CRF sharpens a segmentation, with the parameters that were searched, else the usual ones.
            save: folder for the pictures with the answers drawn on them; no file in it is replaced.
            progress: whether to show how far it is.

        Raises:
            UsageError: a path that is not there, or networks that do not go together.
            PictureError: not one file can be read; where some can, the others' answers carry the error.
        """
        ensemble = self._ensemble(self.trained, together_with, tta, crf=crf)
        with shown_or_silent(progress) as shown:
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
        with shown_or_silent(progress) as shown:
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
        with shown_or_silent(progress) as shown:
            asked = self._ask(data, split, shown)
            return shift_consistency(self.trained, asked.material.loader, asked.rows, shift=shift, split=asked.split, progress=shown)

    def explain(
        self,
        *pictures: Place,
        method: str | Sequence[str] = (),
        save: Place | None = None,
        html: bool = False,
        progress: bool = True,
        **choices: Any,
    ) -> Explanation:
        """Look into the network: why it answers as it does, or what it is made of.

        Writes sheets, and explain.json: into the run's folder explain, or into `save`; made on the spot, nowhere but there.

        Args:
            pictures: files or folders, for methods that look at some; without them a few of the data are taken.
            method: names as `neocog explain --help` lists them; "all" for every method of attribution; () for one that suits.
            save: folder for what is written; earlier work of the same methods there is replaced.
            html: whether to write one page with everything too.
            progress: whether to show how far it is.
            choices: fields of `neocog.examine.question.Question` (layer, about, data, ...), and of the methods' Options.

        Raises:
            UsageError, DataError: a method, a layer, pictures, or a place to write to that cannot be used.
        """
        from neocog.examine.conduct import conduct, parted  # every method, which other questions need not wait for

        question, options = parted(choices)
        folder = Path(save) if save is not None else self.path / EXPLAIN if self.path is not None else None
        if folder is not None:
            require_place(folder, EXPLAIN, [])
        with shown_or_silent(progress) as shown:
            names, paths = [method] if isinstance(method, str) else method, [Path(picture) for picture in pictures]
            open_data = partial(self._ask, question.data, question.split, shown)
            found = conduct(self.trained, paths, names, question, options, open_data, shown)
        title = f"{self.trained.name}, {self.path or 'made on the spot'}"
        return Explanation(found, save_findings(folder, found, kind=EXPLAIN, title=title, html=html) if folder is not None else ())

    def attack(
        self,
        *data: Place,
        method: str | Sequence[str] = "pgd",
        transfer_to: Union["Run", Place, None] = None,
        save: Place | None = None,
        html: bool = False,
        progress: bool = True,
        **choices: Any,
    ) -> Explanation:
        """Break the network: change pictures until it is wrong, make pictures of nothing, or spoil them, and measure it.

        Writes sheets, pictures and attack.json: into the run's folder attack, or into `save`; made on the spot, nowhere but there.

        Args:
            data: name or path of a dataset, or picture files; without it the data that it was trained on.
            method: names as `neocog attack --help` lists them, all of one kind.
            transfer_to: another run, or its folder, that is shown what this one was attacked with.
            save: as for `explain`.
            html: as for `explain`.
            progress: whether to show how far it is.
            choices: fields of `neocog.examine.stress.StressQuestion` (epsilon, norm, ...), and of the methods' Options.

        Raises:
            UsageError: a method that has no meaning for the network or the question, or a place that holds other work.
            DataError: the data cannot be used, have classes that the network does not know, or are all misnamed before.
        """
        names, paths = [method] if isinstance(method, str) else method, [Path(one) for one in data]
        second = transfer_to if isinstance(transfer_to, Run) or transfer_to is None else open_run(transfer_to)
        folder = Path(save) if save is not None else self.path / ATTACK if self.path is not None else None
        with shown_or_silent(progress) as shown:
            open_data = partial(self._ask, shown=shown)
            other = None if second is None else second.trained
            return stress(self.trained, paths, names, choices, open_data, shown, transfer_to=other, folder=folder, html=html)

    def _ask(self, data: Place | None, split: str | None, shown: Progress, *, trains: bool = False) -> Asked:
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
        return Asked(material, name, rows)

    def _pictures(self, material: Material, data: Place | None, split: str | None) -> tuple[str, Int64[Tensor, "n"]]:
        """The name and the pictures of a split, of the run's own where no other data are given."""
        run = self.trained.folder if data is None else None
        return given_pictures(material, split) if run is None else own_pictures(material, run.require(SPLITS), split)

    def _ensemble(self, trained: Trained, together_with: "Together", tta: str | Sequence[str], *, crf: bool = False) -> Ensemble:
        """A network, the run's own but perhaps for other noise, with others, and the views."""
        others: Sequence[Run | Place] = [together_with] if isinstance(together_with, str | PathLike | Run) else together_with
        runs = [other if isinstance(other, Run) else open_run(other) for other in others]
        views, field = [tta] if isinstance(tta, str) else tta, crf_of(self.path) if crf else None
        return assemble([trained, *(run.trained for run in runs)], views, field)

    def _folder(self, data: Place | None, save: Place | None, names: Sequence[str], *, own: bool = True) -> Path | None:
        """Where files of these names go: into the place that is given, else the run's own for its own data; None for nowhere.

        Args:
            own: whether the run's own folder may take them.
        """
        folder = Path(save) if save is not None else self.path if data is None and own else None
        if folder is not None and not (own and self._is_own(folder)):
            refuse_foreign(folder, names)
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
