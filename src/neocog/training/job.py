"""Everything that one training works with, put together from a recipe."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Batch, Preprocess
from neocog.data.dataset import Dataset
from neocog.data.splits import Splits, make_splits, write_splits
from neocog.engine import Plan, prepare
from neocog.errors import DataError
from neocog.evaluation import Material, read_material, recorded_splits
from neocog.layers import synchronise_batch_norms
from neocog.models import MODELS, adapt_preprocess, create_model, open_weights, write_weights
from neocog.models.network import Learner, Network
from neocog.optim import OPTIMIZERS, build_optimizer, load_optimizer_state, optimizer_state
from neocog.optim.schedules import SCHEDULES, learning_rate_factor
from neocog.options import options_of
from neocog.progress import Progress
from neocog.random import seed_of
from neocog.recipe import Recipe
from neocog.run import RunFolder
from neocog.run.folder import CHECKPOINTS, SPLITS, WEIGHTS
from neocog.tasks import TASKS, Counts, Task
from neocog.training.adversarial import adversary_of
from neocog.training.average import AveragedWeights, ExponentialAverage, Lookahead
from neocog.training.checkpoint import Checkpoint, State, latest, prune, write_checkpoint
from neocog.training.defaults import built_options, choose_course
from neocog.training.logs import Logs
from neocog.training.normalisation import measured
from neocog.training.profile import Stopwatch
from neocog.training.ranks import ALONE, Ranks
from neocog.training.saving import Budget

__all__ = ["Job", "build_network", "read_for_training", "task_of"]

PICTURES_A_PASS = 256  # of an optimizer that steps once an epoch


def read_for_training(
    recipe: Recipe, dataset: Dataset, record: Path | None, preprocess: Preprocess, progress: Progress
) -> tuple[Material, Splits]:
    """Read every picture once; make the splits, or take those that the run has.

    Args:
        recipe: what to read.
        dataset: the recipe's.
        record: the run's splits.csv; None where there is none yet.
        preprocess: how the network will want its images.
        progress: told of every picture.

    Raises:
        DataError: too much of the data cannot be used, or is not what the run was begun with.
    """
    material = read_material(dataset, task_of(recipe, dataset), preprocess, allow_bad=recipe.allow_bad, progress=progress)
    if record is not None:
        splits = recorded_splits(material, record)
    else:
        splits = make_splits(dataset, material.digests, material.faults, recipe.seed)
    if not len(splits.train):
        first = f"; {material.faults[0].where}: {material.faults[0].reason}" if material.faults else ""
        found = f"{len(dataset)} in {dataset.name}, none of them for training{first}"
        raise DataError("pictures to train on", found, "repair or add pictures" if first else "add pictures")
    return material, splits


def _preprocess(recipe: Recipe, checkpoint: Checkpoint | None) -> Preprocess:
    """How the network will want its images: as it did when it was stopped, else as its weights' file or its architecture says."""
    if checkpoint is not None:
        return Preprocess.from_dict(checkpoint.preprocess)
    given = None if recipe.weights is None else open_weights(str(recipe.model), recipe.weights).preprocess
    known = given or MODELS[str(recipe.model)].preprocess
    return adapt_preprocess(known, int(recipe.channels or 3), recipe.image_size or known.size)


def build_network(recipe: Recipe, material: Material, rows: Int64[Tensor, "n"], checkpoint: Checkpoint | None) -> Network:
    """The recipe's network: with the checkpoint's weights, those that the recipe names, or initial ones drawn from its seed.

    Without given weights, the images are normalised by the mean and the standard deviation of the training
    pictures, which are `rows`, unless the network keeps its own scale.
    """
    dataset = material.dataset
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(recipe.seed, "weights"))
        model = create_model(
            str(recipe.model),
            num_classes=max(len(dataset.class_names), 1),
            in_channels=int(recipe.channels or dataset.channels),
            weights=recipe.weights if checkpoint is None else None,
            image_size=recipe.image_size,
            class_names=(dataset.class_ids or dataset.class_names) or None,
            task=recipe.task,
            **recipe.model_options,
        )
    if checkpoint is not None:
        model.preprocess = Preprocess.from_dict(checkpoint.preprocess)
        checkpoint.restore("model", model)
    elif recipe.weights is None and not model.keeps_scale:
        model.preprocess = measured(model.preprocess, material, rows)
    return model


class Job:
    """One training: its material, its network, its optimizer, and where it stands.

    Args:
        folder: of the run.
        recipe: complete but for epochs, batch size, learning rate and weight decay, which are chosen here.
        dataset: the recipe's.
        progress: told how far the training is.
        fresh: whether the training begins here; else it goes on with what the folder holds.
        ranks: the place of this process among those that train together.

    Attributes:
        shown: indices of what an epoch goes through: the training pictures, each as often as the task shows it.
    """

    def __init__(
        self, folder: RunFolder, recipe: Recipe, dataset: Dataset, progress: Progress, *, fresh: bool, ranks: Ranks = ALONE
    ) -> None:
        self.folder, self.progress, self.fresh, self.ranks = folder, progress, fresh, ranks
        self.logs = Logs(recipe.log, folder, progress)
        self.checkpoint, faults = latest(folder.path / CHECKPOINTS)
        recorded = not fresh and (folder.begun or (folder.path / SPLITS).exists())
        record = folder.require(SPLITS) if recorded else None
        self.material, self.splits = read_for_training(recipe, dataset, record, _preprocess(recipe, self.checkpoint), progress)
        self.model = build_network(recipe, self.material, self.splits.train, self.checkpoint)
        recipe = _with_counted_options(recipe, dataset, self.splits.train)
        self.task: Task = task_of(recipe, self.material.dataset)
        self.shown = _shown(self.splits.train, self.task.showings, len(self.material.dataset))
        self.recipe = recipe = choose_course(recipe, self.model, len(self.shown))
        self.state = self.checkpoint.state if self.checkpoint is not None else State()
        self.plan = Plan()
        self.augmentations: Mapping[str, Any] = built_options(recipe)
        self.adversary = adversary_of(recipe, self.task)
        schedule = SCHEDULES[recipe.schedule].Options
        self._schedule_options: Any = options_of(schedule, recipe.schedule_options, f"the schedule {recipe.schedule}")
        self.average: AveragedWeights | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.stopwatch = Stopwatch()
        self.budget = Budget()
        self.is_to_be_saved = True  # the end of the last epoch
        self._best: Mapping[str, Tensor] | None = None  # weights that are to be written with the next checkpoint
        for fault in faults:
            folder.log("checkpoint set aside", step=self.state.step, fault=fault)
            progress.message(f"checkpoint set aside: {fault}")

    @property
    def epochs(self) -> int:
        """How many epochs the training has."""
        return int(self.recipe.epochs or 1)

    @property
    def batch_size(self) -> int:
        """Pictures per step."""
        if OPTIMIZERS[self.recipe.optimizer].full_batch:
            return len(self.shown)
        return int(self.recipe.batch_size or 1)

    @property
    def pictures_at_once(self) -> int:
        """Pictures that pass through the network of one process together."""
        most = self.plan.micro_batch or -(-self.batch_size // self.ranks.world)
        return min(most, PICTURES_A_PASS) if OPTIMIZERS[self.recipe.optimizer].full_batch else most

    @property
    def steps_per_epoch(self) -> int:
        """Batches that an epoch is divided into, as equal as can be."""
        return -(-len(self.shown) // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * self.steps_per_epoch

    @property
    def out_of_patience(self) -> bool:
        """Whether the last epochs brought nothing better, as many of them as the recipe bears."""
        return bool(self.recipe.patience) and len(self.state.rows) - self.state.better_epoch >= self.recipe.patience

    @property
    def evaluated_model(self) -> Network:
        """The network that is evaluated and kept: the averaged one where there is one."""
        return self.average.model if self.average is not None else self.model

    def write_choices(self) -> None:
        """recipe.toml, then splits.csv."""
        if self.fresh:
            self.folder.start_over()
        self.folder.write_recipe(self.recipe)
        path = self.folder.path / SPLITS
        if not path.exists():
            write_splits(path, self.splits, self.material.dataset, self.material.digests)

    def obey(self, plan: Plan) -> None:
        """Prepare network, averaged weights and optimizer for a plan, and restore the checkpoint's state into them."""
        self.plan = plan
        if self.ranks.world > 1:
            synchronise_batch_norms(self.model)
        self.ranks.share_state(prepare(self.model, plan))
        if not isinstance(self.model, Learner):
            self.average = _average(self.model, self.recipe)
            member = OPTIMIZERS[self.recipe.optimizer]
            options: Any = options_of(member.Options, self.recipe.optimizer_options, f"the optimizer {self.recipe.optimizer}")
            rate, decay = float(self.recipe.learning_rate or 0), float(self.recipe.weight_decay or 0)
            self.optimizer = build_optimizer(self.model, self.recipe.optimizer, rate, decay, options)
        if self.checkpoint is not None:
            if self.average is not None:
                self.checkpoint.restore("average", self.average.model)
            if self.optimizer is not None:
                load_optimizer_state(self.optimizer, self.model, self.checkpoint.part("optimizer"))
            self.checkpoint = None  # its tensors are no longer needed

    def attacked(self, model: Network, plan: Plan, batch: Batch) -> Batch:
        """The present step's batch with its pictures as the recipe's attack leaves them; as it is without one."""
        if self.adversary is None:
            return batch
        return self.adversary.attacked(model, plan, batch, epoch=self.state.epoch, step=self.state.step)

    def learning_rate(self, step: int) -> float:
        """The schedule's learning rate at a step, counted from 0."""
        warmup = min(round(self.recipe.warmup * self.total_steps), self.total_steps - 1)
        factor = learning_rate_factor(self.recipe.schedule, step, self.total_steps, self._schedule_options, warmup=warmup)
        return float(self.recipe.learning_rate or 0) * factor

    def end_epoch(self, *, is_best: bool) -> None:
        """Decide whether the end of the epoch just recorded is saved; keep its weights where they are the best, until a save in memory."""
        self.is_to_be_saved = self._must_be_saved() or self.budget.allows
        if not is_best:
            return
        tensors = self.evaluated_model.state_dict()
        with self.stopwatch.part("checkpoints"), self.budget.saving(whole=False):
            if self.is_to_be_saved:
                self._best = tensors
                self._write_best()
            else:
                self._best = {name: tensor.to("cpu", copy=True) for name, tensor in tensors.items()}

    def _must_be_saved(self) -> bool:
        """Whether the epoch's end is one of those that are there when all is done: of the last two, or one to keep."""
        done, recipe = len(self.state.rows), self.recipe
        may_be_last = done >= self.epochs - 1 or (recipe.patience and done - self.state.better_epoch >= recipe.patience - 1)
        return bool(may_be_last or (recipe.keep_every and done % recipe.keep_every == 0))

    def write_best(self) -> None:
        """Write weights that were kept in memory, if there are any."""
        if self._best is not None:
            with self.stopwatch.part("checkpoints"), self.budget.saving(whole=False):
                self._write_best()

    def _write_best(self) -> None:
        """weights.safetensors: the best weights, with what is needed to use them anywhere."""
        if self._best is None:
            return
        dataset = self.material.dataset
        facts = {
            "model": self.recipe.model,
            "options": dict(self.recipe.model_options),
            "task": self.recipe.task,
            "num_classes": self.model.num_classes,
            "class_names": list(dataset.class_names),
            "class_ids": list(dataset.class_ids),
            "preprocess": self.model.preprocess.to_dict(),
            "epoch": self.state.best_epoch,
            "data_licence": dataset.licence,
        }
        write_weights(self.folder.path / WEIGHTS, self._best, facts)
        self._best = None

    def save_checkpoint(self) -> None:
        """Write the best weights and the full state, and remove checkpoints that are no longer needed."""
        with self.stopwatch.part("checkpoints"), self.budget.saving(whole=True):
            self._write_best()
            self._write_checkpoint()

    def _write_checkpoint(self) -> None:
        parts: dict[str, Mapping[str, Tensor]] = {"model": self.model.state_dict()}
        if self.average is not None:
            parts["average"] = self.average.model.state_dict()
        if self.optimizer is not None:
            parts["optimizer"] = optimizer_state(self.optimizer, self.model)
        folder = self.folder.path / CHECKPOINTS
        write_checkpoint(folder, self.state, parts, self.model.preprocess.to_dict())
        self.prune_checkpoints()

    def prune_checkpoints(self) -> None:
        """Remove checkpoints that are no longer needed; also at the end, as a kill may have come between writing and removing."""
        ends = {int(row["step"]): int(row["epoch"]) for row in self.state.rows}
        prune(self.folder.path / CHECKPOINTS, ends, self.recipe.keep_every)


def _shown(train: Int64[Tensor, "n"], showings: int, pictures: int) -> Int64[Tensor, "m"]:
    """What an epoch goes through: each training picture as often as it is shown, as an index that is a key of its own.

    Args:
        train: indices of the training pictures.
        showings: how often.
        pictures: of the dataset; the loader counts them round.
    """
    return torch.cat([train + showing * pictures for showing in range(showings)])


def _average(model: Network, recipe: Recipe) -> AveragedWeights | None:
    if recipe.ema:
        return ExponentialAverage(model, recipe.ema)
    return Lookahead(model, recipe.lookahead) if recipe.lookahead else None


def task_of(recipe: Recipe, dataset: Dataset) -> Task:
    """The recipe's task with its options, for the classes of a dataset."""
    kind = TASKS[str(recipe.task)]
    return kind(options_of(kind.Options, recipe.task_options, f"the task {recipe.task}"), dataset.class_names)


def _with_counted_options(recipe: Recipe, dataset: Dataset, train: Int64[Tensor, "n"]) -> Recipe:
    """The recipe with those options of its task that follow from the targets of the training pictures."""
    task = task_of(recipe, dataset)
    found = task.counted(dataset.target(index) for index in train.tolist()) if isinstance(task, Counts) else {}
    return replace(recipe, task_options={**recipe.task_options, **found}) if found else recipe
