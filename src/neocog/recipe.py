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

import math
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from neocog.errors import RecipeError
from neocog.images import Size
from neocog.registry import closest

__all__ = ["TABLES", "Recipe", "chosen_over", "options_of", "read_recipe", "recipe_from_table", "recipe_to_toml"]

Options = TypeVar("Options")
Table = Mapping[str, Any]

TABLES: dict[str, str] = {
    "dataset": "dataset_options",
    "task": "task_options",
    "model": "model_options",
    "optimizer": "optimizer_options",
    "schedule": "schedule_options",
}
"""Keys of the file that choose one member: by its name alone, or by a table of its `name` and its options."""


def _choice(text: str, default: Any = None, **metadata: Any) -> Any:
    return field(default=default, metadata={"help": text, **metadata})


def _options() -> Any:
    return field(default_factory=dict, metadata={"help": "options of the member chosen above"})


@dataclass(frozen=True)
class Recipe:
    """The choices of one training.

    None means: chosen from the data when the training begins. The recipe.toml of a run is complete.
    """

    dataset: str = _choice("name of a dataset, or path of a folder or CSV", "")
    task: Literal["classify", "detect", "segment", "denoise"] | None = _choice("what to learn; told from the data's layout")
    model: str | None = _choice("architecture; neocog models lists them", metavar="NAME")
    weights: str | None = _choice("file of weights to start from; without it the weights are drawn at random", metavar="FILE")
    image_size: Size | None = _choice("height and width of the network's input in pixels")
    channels: Literal[1, 3] | None = _choice("1 reads the pictures grey, 3 in colour; told from the data")
    epochs: int | None = _choice("how often every training picture is seen")
    batch_size: int | None = _choice("pictures per step")
    optimizer: str = _choice("rule that turns gradients into steps", "adamw", metavar="NAME")
    learning_rate: float | None = _choice("largest learning rate of the schedule")
    weight_decay: float | None = _choice("decay of the weights, norms and biases spared; chosen with the optimizer")
    schedule: str = _choice("course of the learning rate", "one_cycle", metavar="NAME")
    warmup: float = _choice("share of the steps over which the learning rate rises from 0, in [0, 1]", 0.0)
    augment: tuple[str, ...] | None = _choice("random changes of the training pictures; none for no changes")
    ema: float = _choice("decay per step of the averaged weights that are then evaluated and kept; 0 for none", 0.0)
    seed: int = _choice("number that all random draws follow from", 0)
    speed: str = _choice("auto measures the machine, exact is float32 unmeasured, or a plan.json to obey", "auto")
    keep_every: int = _choice("keep the checkpoints of every so many epochs too; 0 keeps those of the last two epochs and steps", 0)
    allow_bad: bool = _choice("go on however many pictures are unreadable", False)
    dataset_options: Table = _options()
    task_options: Table = _options()
    model_options: Table = _options()
    optimizer_options: Table = _options()
    schedule_options: Table = _options()
    augment_options: Mapping[str, Table] = _options()

    def __post_init__(self) -> None:
        at_least = {"epochs": 1, "batch_size": 1, "seed": 0, "keep_every": 0}
        for name, least in at_least.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise RecipeError(f"{name} of at least {least}", str(value), f"choose another {name}")
        for name in ("ema", "warmup"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name} between 0 and 1", str(getattr(self, name)), f"choose another {name}")
        if self.weight_decay is not None and not 0 <= self.weight_decay < math.inf:
            raise RecipeError("a weight_decay of at least 0", str(self.weight_decay), "choose another weight_decay")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise RecipeError("a learning_rate above 0", str(self.learning_rate), "choose another learning_rate")
        if self.augment is not None and len(set(self.augment)) < len(self.augment):
            raise RecipeError("each augmentation once", " ".join(self.augment), "take the repeated ones away")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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


def options_of(options: type[Options], table: Table, owner: str) -> Options:
    """A frozen dataclass of options from a table, each value checked against the field's type.

    Args:
        options: the dataclass.
        table: values by field name.
        owner: whose options they are, in the words of an error message.

    Raises:
        RecipeError: an unknown key or a value of another type.
    """
    known = {item.name: item for item in fields(options)}  # type: ignore[arg-type]
    hints = get_type_hints(options)
    values = {}
    for key, value in table.items():
        if key not in known:
            remedy = closest(key, sorted(known)) if known else f"{owner} has no options; take the key away"
            raise RecipeError(f"a key of {owner}", repr(key), remedy)
        values[key] = _checked(value, hints[key], f"{key} of {owner}", known[key])
    return options(**values)


def _options_table(table: Table) -> dict[str, Any]:
    """A member's table with TOML's arrays as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _plain(value: Any, name: str) -> Any:
    """A value as TOML holds it: sizes as HEIGHTxWIDTH, tuples as arrays."""
    if name == "image_size":
        return f"{value[0]}x{value[1]}"
    return [_plain(item, "") for item in value] if isinstance(value, tuple) else value


def _checked(value: Any, annotation: Any, what: str, item: Field[Any]) -> Any:
    """The value as the field's type, if it is of that type."""
    members = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    for member in members:
        matched, result = _match(value, member)
        if matched:
            return result
    names = " or ".join(_type_name(member) for member in members if member is not type(None))
    default = item.default if item.default is not MISSING else None
    example = f", as {_plain(default, item.name)!r}" if default is not None else ""
    raise RecipeError(f"{names} for {what}", repr(value), f"give a value of that kind{example}")


def _match(value: Any, annotation: Any) -> tuple[bool, Any]:
    origin = get_origin(annotation)
    if annotation is Any or annotation is type(None):
        return (annotation is Any or value is None), value
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(annotation)), value
    if annotation == Size:
        return _match_size(value)
    if origin is tuple:
        return _match_tuple(value, get_args(annotation))
    if origin is not None:  # Mapping[str, ...]: the members check their own tables
        return isinstance(value, Mapping), value
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool), float(value) if isinstance(value, int | float) else value
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    if annotation is str and isinstance(value, Path):
        return True, str(value)
    return isinstance(value, annotation), value


def _match_size(value: Any) -> tuple[bool, Any]:
    parts = value.split("x") if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if len(parts) != 2 or not all(str(part).isdecimal() and int(part) > 0 for part in parts):
        return False, value
    return True, (int(parts[0]), int(parts[1]))


def _match_tuple(value: Any, members: tuple[Any, ...]) -> tuple[bool, Any]:
    if not isinstance(value, list | tuple):
        return False, value
    kinds = [members[0]] * len(value) if members[1:] == (Ellipsis,) else list(members)
    if len(kinds) != len(value):
        return False, value
    matches = [_match(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return all(matched for matched, _ in matches), tuple(result for _, result in matches)


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(repr, get_args(annotation)))
    if annotation == Size:
        return "a size HEIGHTxWIDTH"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    if annotation in names:
        return names[annotation]
    return "a list" if get_origin(annotation) is tuple else "a table"
