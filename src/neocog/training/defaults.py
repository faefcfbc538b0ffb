"""What a recipe leaves open, chosen from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from torch import nn

from neocog.augment import AUGMENTATIONS, require_exact
from neocog.data.dataset import Dataset
from neocog.data.open import layout_of
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.errors import RecipeError, UsageError
from neocog.models import MODELS
from neocog.models.network import Learner, Network
from neocog.models.published import named_weights
from neocog.optim import OPTIMIZERS
from neocog.optim.schedules import SCHEDULES
from neocog.options import options_of
from neocog.recipe import TABLES, Recipe
from neocog.registry import closest
from neocog.tasks import TASKS
from neocog.training.adversarial import ADVERSARIES
from neocog.training.choices import choices_of

__all__ = [
    "built_options",
    "check_options",
    "choose_course",
    "choose_network",
    "members_in_question",
    "with_dataset_options",
    "with_options",
]

FROM_WEIGHTS, DEEP_WITHOUT_NORMS, SHALLOW_WITHOUT_NORMS = 1 / 6, 1 / 10, 1 / 3  # shares of the rate
DEEP = 8  # convolutions and dense layers; deeper networks without norms bear small steps only
DECAY_OF_ADAMW, DECAY = 0.01, 5e-4


def choose_network(recipe: Recipe, dataset: Dataset, given: Mapping[str, Any] | None = None) -> Recipe:
    """Fill in task, model, image size, channels and augmentation; check that the named members and their options exist.

    Args:
        recipe: what is given.
        dataset: of the pictures.
        given: options that will be handed to members later (`with_options`), which may decide on the augmentation.

    Raises:
        UsageError: an unknown member or option, weights of an unknown name, or a task that the data cannot teach.
    """
    task = recipe.task or dataset.task
    if task not in TASKS:
        raise UsageError(f"a task that can be trained ({', '.join(TASKS)})", task, "choose one of them with --task, or other data")
    choices = choices_of(task)
    model = recipe.model or choices.network(dataset)
    entry = MODELS[model]
    size = recipe.image_size or choices.image_size(dataset, entry, from_weights=recipe.weights is not None)
    chosen = replace(recipe, task=task, model=model, image_size=size, channels=recipe.channels or _channels(dataset, entry.channels))
    known = {item.name for item in fields(TASKS[task].Options)}
    later = {name: value for name, value in (given or {}).items() if name in known}
    options = {**choices.task_options(dataset), **recipe.task_options, **later}
    chosen = replace(chosen, dataset=_lasting(recipe.dataset, dataset), task_options=options)
    if recipe.model is None:
        chosen = replace(chosen, model_options={**choices.network_options(dataset), **recipe.model_options})
    if chosen.augment is None and "gradient" not in entry.traits:
        chosen = replace(chosen, augment=())  # prototypes and single layers take every picture at its word
    elif chosen.augment is None:
        chosen = choices.augmented(chosen, dataset, size or entry.input_size)
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
    named = DATASETS[recipe.dataset] if recipe.dataset in DATASETS else None  # noqa: SIM401 - a registry has no `get`
    layout = layout_of(recipe.dataset, recipe.task) if named is None and recipe.dataset else None
    task = recipe.task or (named.tasks[0] if named else layout.task if layout else "classify")
    choices = choices_of(task)
    models = (recipe.model,) if recipe.model is not None else choices.networks
    augment = recipe.augment if recipe.augment is not None else choices.augmentations
    return [
        *([("dataset", recipe.dataset, named.Options)] if named else [("layout", layout.name, layout.Options)] if layout else []),
        *([("task", task, TASKS[task].Options)] if task in TASKS else []),
        *(("architecture", name, MODELS[name].Options) for name in models),
        ("optimizer", recipe.optimizer, OPTIMIZERS[recipe.optimizer].Options),
        ("schedule", recipe.schedule, SCHEDULES[recipe.schedule].Options),
        *(("augmentation", name, AUGMENTATIONS[name].Options) for name in augment),
        *([("adversarial", recipe.adversarial, ADVERSARIES[recipe.adversarial])] if recipe.adversarial is not None else []),
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
                "a field of the recipe, or an option of the chosen task, model, optimizer, schedule, attack or augmentations",
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
        UsageError: options for an augmentation that is not used, or for an attack that is not named; an augmentation that the
            task cannot bear; an attack on a network that has no gradients.
    """
    for name, kind in _option_kinds(recipe).items():
        options_of(kind, getattr(recipe, name), f"the {(member := name.removesuffix('_options'))} {getattr(recipe, member)}")
    built_options(recipe)
    if TASKS[str(recipe.task)].geometry == "exact":
        require_exact(recipe.augment or ())
    _check_adversary(recipe)
    for name in recipe.augment_options:
        if name not in (recipe.augment or ()):
            raise UsageError("options of augmentations that are used", f"options of {name}", f"add {name} to the augmentations")


def _check_adversary(recipe: Recipe) -> None:
    if recipe.adversarial is None and recipe.adversarial_options:
        found = f"{next(iter(recipe.adversarial_options))} alone"
        raise UsageError("the name of an attack beside its options", found, f"add --adversarial {' or '.join(ADVERSARIES)}")
    if recipe.adversarial is not None and "gradient" not in MODELS[str(recipe.model)].traits:
        raise UsageError("a network that learns by gradient, for adversarial training", str(recipe.model), "leave --adversarial away")


def _option_kinds(recipe: Recipe) -> dict[str, type[Any]]:
    """The Options of the chosen members, by the recipe's field that holds their values."""
    return {
        "task_options": TASKS[str(recipe.task)].Options,
        "model_options": MODELS[str(recipe.model)].Options,
        "optimizer_options": OPTIMIZERS[recipe.optimizer].Options,
        "schedule_options": SCHEDULES[recipe.schedule].Options,
        **({"adversarial_options": ADVERSARIES[recipe.adversarial]} if recipe.adversarial is not None else {}),
    }


def choose_course(recipe: Recipe, model: Network, pictures: int) -> Recipe:
    """Fill in epochs, batch size, learning rate and weight decay.

    Args:
        recipe: with the network chosen.
        model: the network with its initial weights.
        pictures: how many there are to train on.
    """
    size, choices = model.preprocess.size, choices_of(recipe.task)
    fresh = recipe.weights is None
    epochs = model.epochs if isinstance(model, Learner) else choices.epochs(pictures, size, fresh=fresh)
    rate = choices.learning_rate(size) if recipe.optimizer == "adamw" else OPTIMIZERS[recipe.optimizer].learning_rate
    return replace(
        recipe,
        image_size=size,
        epochs=recipe.epochs or epochs,
        batch_size=recipe.batch_size or choices.batch_size(pictures, size),
        learning_rate=recipe.learning_rate or _learning_rate(rate, recipe.optimizer, model, fresh=fresh),
        weight_decay=_weight_decay(recipe.optimizer) if recipe.weight_decay is None else recipe.weight_decay,
    )


def _learning_rate(rate: float, optimizer: str, model: Network, *, fresh: bool) -> float:
    """A rate, or a share of it where given weights must be kept or no norms keep the gradients in bounds."""
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
