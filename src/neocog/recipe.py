"""All choices of one training: a frozen dataclass, and how it reads from and writes to TOML.

The file has the fields of every training at its top, and a table for each chosen member that has options of its own:

    dataset = "cifar10"
    epochs = 30
    model = "resnet20"

    [optimizer]
    name = "momentum"
    momentum = 0.9

    [augment.pad_and_crop]
    crop_padding = 4
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from neocog.errors import RecipeError
from neocog.images import Size
from neocog.options import check, option, options_of
from neocog.registry import closest

__all__ = ["OPEN", "TABLES", "Recipe", "chosen_over", "read_recipe", "recipe_from_table", "recipe_to_toml"]

Table = Mapping[str, Any]

TABLES: dict[str, str] = {
    "dataset": "dataset_options",
    "task": "task_options",
    "model": "model_options",
    "optimizer": "optimizer_options",
    "schedule": "schedule_options",
    "adversarial": "adversarial_options",
}
"""Keys of the file that choose one member: by its name alone, or by a table of its `name` and its options."""


OPEN = ("weights", "adversarial")
"""Fields that may be None in a complete recipe: random weights, and pictures that nobody attacks."""


def _options() -> Any:
    return option({}, "options of the member chosen above", flag=False)


@dataclass(frozen=True)
class Recipe:
    """The choices of one training.

    None means: chosen when the training begins, from the data, the network and the optimizer; but for those of `OPEN`,
    where it stays. The recipe.toml of a run is complete.
    """

    dataset: str = option("", "name of a dataset, or path of a folder or CSV")
    task: Literal["classify", "detect", "segment", "denoise"] | None = option(None, "what to learn; told from the data's layout")
    model: str | None = option(None, "architecture; neocog models lists them", flag="NAME")
    weights: str | None = option(
        None, "file of weights to start from, or name of published ones; without it the weights are drawn at random", flag="FILE|NAME"
    )
    image_size: Size | None = option(None, "height and width of the network's input in pixels")
    channels: Literal[1, 3] | None = option(None, "1 reads the pictures grey, 3 in colour; told from the data")
    epochs: int | None = option(None, "how often every training picture is seen", low=1)
    batch_size: int | None = option(None, "pictures per step", low=1)
    optimizer: str = option("adamw", "rule that turns gradients into steps", flag="NAME")
    learning_rate: float | None = option(None, "largest learning rate of the schedule", above=0)
    weight_decay: float | None = option(None, "decay of the weights, norms and biases spared; chosen with the optimizer", low=0)
    schedule: str = option("one_cycle", "course of the learning rate", flag="NAME")
    warmup: float = option(0.0, "share of the steps over which the learning rate rises from 0, in [0, 1]", low=0, high=1)
    augment: tuple[str, ...] | None = option(None, "random changes of the training pictures; none for no changes")
    adversarial: Literal["fgsm", "pgd"] | None = option(
        None, "attack that the training pictures go through first, so that the network bears it; docs/attack.md"
    )
    micro_batch: int = option(
        0, "most pictures that pass through the network at once, their gradients added up; 0 for all of a step", low=0
    )
    clip_gradient: float = option(0.0, "largest length of a step's gradient, longer ones are shortened to it; 0 for no limit", low=0)
    ema: float = option(0.0, "decay per step of the averaged weights that are then evaluated and kept; 0 for none", low=0, high=1)
    lookahead: int = option(0, "steps after which the weights go half way back to where they were so many steps ago; 0 for never", low=0)
    renew_norms: int = option(0, "training pictures that give averaged weights their batch norms' statistics; 0 averages these too", low=0)
    patience: int = option(0, "epochs without a better validation after which training ends; 0 for never", low=0)
    seed: int = option(0, "number that all random draws follow from", low=0)
    speed: str = option("auto", "auto measures the machine, exact is float32 unmeasured, or a plan.json to obey")
    keep_every: int = option(0, "keep the checkpoints of every so many epochs too; 0 keeps those of the last two epochs and steps", low=0)
    allow_bad: bool = option(False, "go on however many pictures are unreadable")
    log: tuple[str, ...] = option((), "where epochs are logged for other programs: tensorboard, mlflow", flag="NAME")
    dataset_options: Table = _options()
    task_options: Table = _options()
    model_options: Table = _options()
    optimizer_options: Table = _options()
    schedule_options: Table = _options()
    adversarial_options: Table = _options()
    augment_options: Mapping[str, Table] = _options()

    def __post_init__(self) -> None:
        check(self)
        if self.augment is not None and len(set(self.augment)) < len(self.augment):
            raise RecipeError("each augmentation once", " ".join(self.augment), "name each augmentation once")
        if len(set(self.log)) < len(self.log):
            raise RecipeError("each log once", " ".join(self.log), "name each log once")
        if self.ema and self.lookahead:
            raise RecipeError("one way of averaging weights", f"ema {self.ema:g} and lookahead {self.lookahead}", "set one of them to 0")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        RecipeError: no such file, not TOML, an unknown key (the nearest known ones are suggested), or a
            value of another type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError("a readable recipe file", f"{path}: {error.strerror}", "check the path") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of thousands of digits, brackets without end
        raise RecipeError("a recipe in TOML", f"{path}: {error}", "mend the file at that place") from error
    return recipe_from_table(table, f"the recipe {path}")


def recipe_from_table(table: Table, owner: str = "the recipe") -> Recipe:
    """The recipe that a TOML table describes.

    Args:
        table: the file's content.
        owner: what it is called in the words of an error message.

    Raises:
        RecipeError: as for `read_recipe`.
    """
    known = [item.name for item in fields(Recipe) if not item.name.endswith("_options")]
    for key in table:
        if key not in known:
            raise RecipeError(f"a key of {owner}", repr(key), closest(key, known))
    plain = {name: value for name, value in table.items() if name not in TABLES and name != "augment"}
    for name, options in TABLES.items():
        chosen = table.get(name, {})
        if isinstance(chosen, str):
            chosen = {"name": chosen}
        if not isinstance(chosen, Mapping):
            raise RecipeError(f"a name or a table for {name} of {owner}", repr(chosen), f'write [{name}] and name = "..." below it')
        if "name" in chosen:
            plain[name] = chosen["name"]
        plain[options] = _options_table({key: value for key, value in chosen.items() if key != "name"})
    plain |= _augment_fields(table.get("augment"), owner)
    return options_of(Recipe, plain, owner)


def _augment_fields(augment: Any, owner: str) -> dict[str, Any]:
    """The recipe's fields that `augment` of the file fills: a list of names, or a table of tables."""
    if augment is None:
        return {}
    if not isinstance(augment, Mapping):
        return {"augment": augment}
    for name, options in augment.items():
        if not isinstance(options, Mapping):
            remedy = f"write [augment.{name}] and its options below it"
            raise RecipeError(f"a table for augment.{name} of {owner}", repr(options), remedy)
    return {"augment": list(augment), "augment_options": {name: _options_table(options) for name, options in augment.items() if options}}


def recipe_to_toml(recipe: Recipe) -> str:
    """The file that `read_recipe` reads back to an equal recipe; fields that are None are left out."""
    import tomlkit

    document = tomlkit.document()
    with_table = {name for name, options in TABLES.items() if getattr(recipe, options)}
    apart = {*with_table, *TABLES.values(), "augment", "augment_options"}
    for item in fields(recipe):
        if item.name not in apart and getattr(recipe, item.name) is not None:
            document[item.name] = _plain(getattr(recipe, item.name), item.name)
    for name, options in TABLES.items():
        if name in with_table:
            chosen = {"name": getattr(recipe, name), **getattr(recipe, options)}
            document[name] = {key: _plain(value, key) for key, value in chosen.items() if value is not None}
    if recipe.augment is not None:
        document["augment"] = {
            name: {key: _plain(value, key) for key, value in recipe.augment_options.get(name, {}).items()} for name in recipe.augment
        }
    return tomlkit.dumps(document)


def chosen_over(recipe: Recipe, choices: Table) -> Recipe:
    """A recipe with some of its fields chosen anew; the options of a member that is replaced go with it.

    Raises:
        RecipeError: an unknown field or a value of another type.
    """
    values = {item.name: getattr(recipe, item.name) for item in fields(recipe)} | dict(choices)
    for name, options in TABLES.items():
        if options not in choices and values[name] != getattr(recipe, name):
            values[options] = {}
    if "augment_options" not in choices:
        values["augment_options"] = {name: table for name, table in recipe.augment_options.items() if name in (values["augment"] or ())}
    return options_of(Recipe, values, "the recipe")


def _options_table(table: Table) -> dict[str, Any]:
    """A member's table with TOML's arrays as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _plain(value: Any, name: str) -> Any:
    """A value as TOML holds it: sizes as HEIGHTxWIDTH, tuples as arrays."""
    if name == "image_size":
        return f"{value[0]}x{value[1]}"
    return [_plain(item, "") for item in value] if isinstance(value, tuple) else value
