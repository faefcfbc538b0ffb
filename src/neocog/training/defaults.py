"""What a recipe leaves open, chosen from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from torch import nn

from neocog.augment import AUGMENTATIONS
from neocog.data.dataset import Dataset
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.errors import RecipeError, UsageError
from neocog.images import Size
from neocog.models import MODELS
from neocog.models.network import Learner, Network
from neocog.models.published import named_weights
from neocog.optim import OPTIMIZERS
from neocog.optim.schedules import SCHEDULES
from neocog.options import options_of
from neocog.recipe import TABLES, Recipe
from neocog.registry import closest
from neocog.tasks import TASKS

__all__ = [
    "built_options",
    "check_options",
    "choose_course",
    "choose_network",
    "members_in_question",
    "with_dataset_options",
    "with_options",
]

SMALL = 64  # pixels: pictures up to this go to a small network at their own size
NETWORKS = ("small_convnet", "mobilenet_v2")  # of small pictures, of photos
WINDOWS = ("pad_and_crop", "random_resized_crop")  # likewise, the augmentation that chooses what is seen
PICTURES_SEEN = 700_000  # over a training from random weights; a small set is seen as often as MOST_EPOCHS
FEWEST_EPOCHS, MOST_EPOCHS = 10, 30
EPOCHS_FROM_WEIGHTS = 15
STEPS_AN_EPOCH = 40  # at least, where the batch size allows it
SMALLEST_BATCH, LARGEST_BATCH, LARGEST_BATCH_OF_PHOTOS = 16, 128, 32
RATE = 3e-3  # of AdamW; the other optimizers have their own
FROM_WEIGHTS, DEEP_WITHOUT_NORMS, SHALLOW_WITHOUT_NORMS = 1 / 6, 1 / 10, 1 / 3  # shares of the rate
DEEP = 8  # convolutions and dense layers; deeper networks without norms bear small steps only
DECAY_OF_ADAMW, DECAY = 0.01, 5e-4


def choose_network(recipe: Recipe, dataset: Dataset) -> Recipe:
    """Fill in task, model, image size, channels and augmentation; check that the named members and their options exist.

    Raises:
        UsageError: an unknown member or option, weights of an unknown name, or a task that the data cannot teach.
    """
    small = max(dataset.typical_size) <= SMALL
    network_of_small, network_of_photos = NETWORKS
    task = recipe.task or dataset.task
    if task not in TASKS:
        raise UsageError(f"a task that can be trained ({', '.join(TASKS)})", task, "choose one of them with --task, or other data")
    model = recipe.model or (network_of_small if small else network_of_photos)
    entry = MODELS[model]
    size = recipe.image_size or (_at_least(dataset.typical_size, entry.min_size) if small and recipe.weights is None else None)
    chosen = replace(recipe, task=task, model=model, image_size=size, channels=recipe.channels or _channels(dataset, entry.channels))
    chosen = replace(chosen, dataset=_lasting(recipe.dataset, dataset))
    if chosen.augment is None and "gradient" not in entry.traits:
        chosen = replace(chosen, augment=())  # prototypes and single layers take every picture at its word
    elif chosen.augment is None:
        chosen = _with_augmentations(chosen, dataset, size or entry.input_size)
    if chosen.weights is not None:
        named = named_weights(model, chosen.weights)
        chosen = replace(chosen, weights=named.name if named else str(Path(chosen.weights).expanduser().resolve()))
    chosen = replace(chosen, speed=_speed(recipe.speed))
    check_options(chosen)
    return chosen


def _channels(dataset: Dataset, admitted: Sequence[int]) -> Literal[1, 3]:
    """Grey for grey pictures, else colour; the other where the network takes no such images."""
    grey = 1 in admitted if dataset.channels == 1 else 3 not in admitted
    return 1 if grey else 3


def members_in_question(recipe: Recipe) -> list[tuple[str, str, type[Any]]]:
    """Whose options a recipe may hold: the members that it names, and where it names none those that may be chosen.

    A task that cannot be trained has none.

    Returns:
        What the member is ("optimizer"), its name, and its Options.

    Raises:
        UsageError: a name that no member has.
    """
    models = (recipe.model,) if recipe.model is not None else NETWORKS
    augment = recipe.augment if recipe.augment is not None else ("flip", *WINDOWS)
    task = recipe.task or "classify"
    return [
        *([("dataset", recipe.dataset, DATASETS[recipe.dataset].Options)] if recipe.dataset in DATASETS else []),
        *([("task", task, TASKS[task].Options)] if task in TASKS else []),
        *(("architecture", name, MODELS[name].Options) for name in models),
        ("optimizer", recipe.optimizer, OPTIMIZERS[recipe.optimizer].Options),
        ("schedule", recipe.schedule, SCHEDULES[recipe.schedule].Options),
        *(("augmentation", name, AUGMENTATIONS[name].Options) for name in augment),
    ]


def with_dataset_options(recipe: Recipe, options: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """Hand the dataset those options that it has fields for, or that a layout has where it is a path.

    Returns:
        The recipe, and the options that are left.

    Raises:
        RecipeError: the recipe's own options of the dataset have an unknown key, or a named one's a wrong value.
    """
    named = recipe.dataset in DATASETS
    kinds = [DATASETS[recipe.dataset].Options] if named else [LAYOUTS[name].Options for name in LAYOUTS]
    known = {item.name for kind in kinds for item in fields(kind)}
    taken = {name: value for name, value in options.items() if name in known}
    left = {name: value for name, value in options.items() if name not in known}
    chosen = {**recipe.dataset_options, **taken}
    for name in chosen:
        if name not in known:
            remedy = closest(name, sorted(known)) if known else f"leave it out: {recipe.dataset} has no options"
            raise RecipeError(f"an option of the dataset {recipe.dataset}", repr(name), remedy)
    if named:
        options_of(kinds[0], chosen, f"the dataset {recipe.dataset}")
    return replace(recipe, dataset_options=chosen), left


def with_options(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """Hand options to those chosen members that have fields of these names.

    Raises:
        UsageError: no chosen member has such a field; the nearest fields are suggested.
        RecipeError: a value of another type.
    """
    tables: dict[str, Any] = {name: dict(getattr(recipe, name)) for name in TABLES.values()}
    augment = {name: dict(table) for name, table in recipe.augment_options.items()}
    owners = [(kind, tables[name]) for name, kind in _option_kinds(recipe).items()]
    owners += [(AUGMENTATIONS[name].Options, augment.setdefault(name, {})) for name in recipe.augment or ()]
    known = sorted({item.name for kind, _ in owners for item in fields(kind)})
    for name, value in options.items():
        takers = [table for kind, table in owners if name in {item.name for item in fields(kind)}]
        if not takers:
            raise UsageError(
                "a field of the recipe, or an option of the chosen task, model, optimizer, schedule or augmentations",
                repr(name),
                closest(name, sorted({*known, *(item.name for item in fields(Recipe))})),
            )
        for table in takers:
            table[name] = value
    chosen = replace(recipe, **tables, augment_options={name: table for name, table in augment.items() if table})
    check_options(chosen)
    return chosen


def check_options(recipe: Recipe) -> None:
    """Every table's keys and values against the options of the member that is chosen.

    Raises:
        RecipeError: an unknown key or a wrong value.
        UsageError: options for an augmentation that is not used.
    """
    for name, kind in _option_kinds(recipe).items():
        options_of(kind, getattr(recipe, name), f"the {(member := name.removesuffix('_options'))} {getattr(recipe, member)}")
    built_options(recipe)
    for name in recipe.augment_options:
        if name not in (recipe.augment or ()):
            raise UsageError("options of augmentations that are used", f"options of {name}", f"add {name} to the augmentations")


def _option_kinds(recipe: Recipe) -> dict[str, type[Any]]:
    """The Options of the chosen members, by the recipe's field that holds their values."""
    return {
        "task_options": TASKS[str(recipe.task)].Options,
        "model_options": MODELS[str(recipe.model)].Options,
        "optimizer_options": OPTIMIZERS[recipe.optimizer].Options,
        "schedule_options": SCHEDULES[recipe.schedule].Options,
    }


def choose_course(recipe: Recipe, model: Network, pictures: int) -> Recipe:
    """Fill in epochs, batch size, learning rate and weight decay.

    Args:
        recipe: with the network chosen.
        model: the network with its initial weights.
        pictures: how many there are to train on.
    """
    size = model.preprocess.size
    fresh = recipe.weights is None
    most = LARGEST_BATCH if max(size) <= SMALL else LARGEST_BATCH_OF_PHOTOS
    batch = max(SMALLEST_BATCH, min(most, 2 ** max(pictures // STEPS_AN_EPOCH, 1).bit_length() // 2))
    epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(PICTURES_SEEN / max(pictures, 1)))) if fresh else EPOCHS_FROM_WEIGHTS
    if isinstance(model, Learner):
        epochs = model.epochs
    return replace(
        recipe,
        image_size=size,
        epochs=recipe.epochs or epochs,
        batch_size=recipe.batch_size or min(batch, max(pictures, 1)),
        learning_rate=recipe.learning_rate or _learning_rate(recipe.optimizer, model, fresh=fresh),
        weight_decay=_weight_decay(recipe.optimizer) if recipe.weight_decay is None else recipe.weight_decay,
    )


def _learning_rate(optimizer: str, model: Network, *, fresh: bool) -> float:
    """The optimizer's rate, or a share of it where given weights must be kept or no norms keep the gradients in bounds."""
    rate = RATE if optimizer == "adamw" else OPTIMIZERS[optimizer].learning_rate
    if not fresh:
        return rate * FROM_WEIGHTS
    if any("Norm" in type(module).__name__ for module in model.modules()):
        return rate
    if sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules()) > DEEP:
        return rate * DEEP_WITHOUT_NORMS
    return rate if optimizer == "adamw" else rate * SHALLOW_WITHOUT_NORMS  # AdamW's steps do not grow with the gradient


def _weight_decay(optimizer: str) -> float:
    """AdamW takes the decay apart from the gradient and bears more of it."""
    return DECAY_OF_ADAMW if optimizer == "adamw" else DECAY


def _with_augmentations(recipe: Recipe, dataset: Dataset, size: Size) -> Recipe:
    """Shifts for small pictures, crops of random size for photos; mirror images where they keep their meaning."""
    if dataset.task != "classify":
        return replace(recipe, augment=())
    flip = ("flip",) if dataset.mirrored else ()
    window_of_small, window_of_photos = WINDOWS
    if max(size) > SMALL:
        return replace(recipe, augment=(window_of_photos, *flip))
    share = 8 if dataset.mirrored else 14  # 4 of 32 pixels, as is usual for CIFAR; 2 of 28 for digits, which are centred
    shift = {window_of_small: {"crop_padding": max(1, min(size) // share)}}
    return replace(recipe, augment=(window_of_small, *flip), augment_options={**shift, **recipe.augment_options})


def _at_least(size: Size, least: int) -> Size:
    return max(size[0], least), max(size[1], least)


def _lasting(name: str, dataset: Dataset) -> str:
    """A name as it is, a path in full: the run must find its data from any folder."""
    return name if name in DATASETS or dataset.root is None else str(dataset.root.resolve())


def _speed(speed: str) -> str:
    if speed in ("auto", "exact"):
        return speed
    path = Path(speed).expanduser().resolve()
    if not path.is_file():
        raise UsageError("auto, exact or the path of a plan.json for speed", repr(speed), "check the path")
    return str(path)


def built_options(recipe: Recipe) -> dict[str, Any]:
    """Instances of the options of every augmentation that the recipe uses, by name."""
    return {
        name: options_of(AUGMENTATIONS[name].Options, recipe.augment_options.get(name, {}), f"the augmentation {name}")
        for name in recipe.augment or ()
    }
