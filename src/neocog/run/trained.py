"""A network that is ready to answer: out of a run, or made on the spot from a name and a file of weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.batch import Preprocess
from neocog.engine import Plan, prepare
from neocog.engine.plan import default_plan
from neocog.errors import DataError, RunError, UsageError
from neocog.models import StateFile, create_model, read_state
from neocog.models.class_names import imagenet_ids
from neocog.models.network import Network
from neocog.options import options_of
from neocog.recipe import Recipe
from neocog.run.folder import RESTORE, WEIGHTS, RunFolder
from neocog.targets import TaskName
from neocog.tasks import TASKS, Task

__all__ = ["Trained", "load_run", "make_on_the_spot"]


@dataclass(frozen=True)
class Trained:
    """A network with all that is needed to ask it something.

    Attributes:
        name: of the architecture.
        model: in evaluation mode, prepared for the plan.
        task: what its outputs mean.
        task_name: as recipes and datasets call it.
        class_names: of its outputs.
        class_ids: WordNet ids of its outputs, where it has them; else empty.
        plan: how it is computed.
        folder: of the run; None when it was made on the spot.
        notes: what there is to say about how it came about.
    """

    name: str
    model: Network
    task: Task
    task_name: str
    class_names: tuple[str, ...]
    class_ids: tuple[str, ...]
    plan: Plan
    folder: RunFolder | None = None
    notes: tuple[str, ...] = ()

    @property
    def preprocess(self) -> Preprocess:
        """How the network wants its images."""
        return self.model.preprocess


def load_run(folder: RunFolder, plan: Plan | None = None) -> Trained:
    """The best weights of a run.

    Args:
        folder: of the run; it need not have ended.
        plan: how to compute; None takes the run's own, or this machine's plain one where the run's is for an
            accelerator that is not here.

    Raises:
        RunError: a file is missing, cut short or changed, or the weights are of another network.
    """
    folder.verify()
    recipe = folder.recipe()
    state = read_state(folder.require(WEIGHTS))
    names = state.class_names or ()
    model = _rebuilt(state, recipe)
    chosen = plan or _own_plan(folder)
    task_name = str(recipe.task)
    task = _task(task_name, recipe.task_options, names)
    return Trained(str(state.model), prepare(model, chosen).eval(), task, task_name, names, _ids(state), chosen, folder)


def _ids(state: StateFile) -> tuple[str, ...]:
    """WordNet ids of the outputs; empty where they have none."""
    ids = state.metadata.get("class_ids", [])
    if not isinstance(ids, list) or not all(isinstance(wnid, str) for wnid in ids):
        raise RunError("weights of the run's own network", f"{state.path}: {ids!r} for class_ids", RESTORE)
    return tuple(ids)


def _own_plan(folder: RunFolder) -> Plan:
    plan = folder.plan()
    return plan if plan is not None and plan.possible_here else default_plan()


def _rebuilt(state: StateFile, recipe: Recipe) -> Network:
    """The network that a run's weights were saved from."""
    try:
        preprocess = Preprocess.from_dict(state.metadata["preprocess"])
        classes, size = state.metadata["num_classes"], preprocess.size
        if type(classes) is not int or (state.class_names and len(state.class_names) != classes):
            raise ValueError(f"{classes!r} outputs for {len(state.class_names or ())} class names")
        shape: dict[str, Any] = {"num_classes": classes, "in_channels": preprocess.channels, "image_size": size}
        model = create_model(str(state.model), task=recipe.task, **shape, **recipe.model_options)
        model.preprocess = preprocess
        model.load_state_dict(state.tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RunError("weights of the run's own network", f"{state.path}: {reason}", RESTORE) from error
    return model


def make_on_the_spot(
    name: str,
    weights: Path | str | None = None,
    classes: Path | None = None,
    *,
    task: TaskName | None = None,
    options: Mapping[str, Any] | None = None,
) -> Trained:
    """A network from the name of its architecture.

    Args:
        name: of the architecture.
        weights: file of weights, or the name of published ones; without it the weights are drawn at random.
        classes: text file with the name of one class a line; without it the weights' own names are taken, and
            for 1000 outputs without names ImageNet's.
        task: what the network is for; None takes what its weights were trained for, else the architecture's first.
        options: of the architecture.

    Raises:
        UsageError: no such architecture, or as many names as there are outputs are not there.
        SurroundingsError: the published weights are not here.
        WeightsError: the weights cannot be used.
    """
    names = None if classes is None else _read_classes(classes)
    model = create_model(name, weights=weights, task=task, **(options or {}))
    report = model.weights_report
    known = names or (report.class_names if report is not None else None) or tuple(f"class {index}" for index in range(model.num_classes))
    if len(known) != model.num_classes:
        expected, found = f"{model.num_classes} class names, one for each output", f"{len(known)} in {classes}"
        raise UsageError(expected, found, "give the list that the weights were trained with")
    plan = default_plan()
    notes = () if report is None else tuple(report.lines())
    if weights is None:
        notes = ("the weights are random: its answers mean nothing",)
    if model.task == "denoise":
        known = ()  # its outputs are channels
    ids = imagenet_ids(known)
    return Trained(name, prepare(model, plan).eval(), _task(model.task, {}, known), model.task, known, ids, plan, notes=notes)


def _task(name: str, options: Mapping[str, Any], class_names: tuple[str, ...]) -> Task:
    kind = TASKS[name]
    return kind(options_of(kind.Options, options, f"the task {name}"), class_names)


def _read_classes(path: Path) -> tuple[str, ...]:
    try:
        return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("a text file with one class name a line", f"{path}: {error}", "check the path") from error
