"""How a member of an open folder declares its options: one frozen dataclass, each field with its help and bounds.

A field made by `option` carries what the command line, the recipe and the documentation show about it; its
annotation is its type. `options_of` makes the dataclass from a table, and `check` holds its values against the fields.
"""

import dataclasses
import math
import operator
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from neocog.errors import RecipeError
from neocog.registry import closest

__all__ = ["NoOptions", "check", "option", "options_of"]

Options = TypeVar("Options")
OptionField = dataclasses.Field[Any]

SIZE = tuple[int, int]  # as neocog.images.Size; that module would load torch
MOST_DIGITS = 9  # of a height or a width; Python refuses to read numbers of thousands of digits

WORDS = {
    bool: ("true or false", "truth values"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
}
"""What one value of a type is called, and several."""


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """The options of a member that has none."""


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    ordered: bool = False,
    flag: bool | str = True,
) -> Any:
    """A field of an options dataclass.

    Its annotation is bool, int, float, str, Literal, `Size`, Path, a tuple of these, a mapping, or one of these or None.

    Args:
        default: the value that is used when none is given.
        help: what the option does, with unit and range: one sentence without a full stop.
        low: the smallest admitted value, of every item where the option is a tuple.
        high: the largest admitted value.
        above: what a value must be larger than, where it may come as near as it likes.
        ordered: the items of a tuple must not fall: a range from lowest to highest.
        flag: whether the command line has a flag for it; a text is how its help calls the value.
    """
    metadata = {"help": help, "low": low, "high": high, "above": above, "ordered": ordered, "flag": flag}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def check(options: Any) -> None:
    """Hold the values of an options dataclass against what its fields say; call it from `__post_init__`.

    An int is admitted where a float is wanted. A tuple must have as many items as its annotation says; one of
    any length must have an item, unless its default has none.

    Raises:
        RecipeError: a value of another type, out of its bounds or not a finite number; the text names the field.
    """
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        matched, result = _match_any(value, hints[field.name])
        if not matched or result != value or not _within_bounds(value, field):
            wanted = f"{_kinds(hints[field.name])}{_bounds_in_words(field)}"
            default = _default(field, hints[field.name])
            remedy = f"give {field.name} {wanted}" + (f"; the default is {default}" if default else "")
            raise RecipeError(f"{field.name} to be {wanted}", repr(value), remedy)


def options_of(options: type[Options], table: Mapping[str, Any], owner: str) -> Options:
    """A frozen dataclass of options from a table, each value checked against the field's type.

    Lists become tuples, HEIGHTxWIDTH becomes a size, whole numbers become numbers and paths texts where the
    field wants them.

    Args:
        options: the dataclass.
        table: values by field name.
        owner: whose options they are, in the words of an error message.

    Raises:
        RecipeError: an unknown key, a value of another type, or one that `check` refuses.
    """
    known = {field.name: field for field in dataclasses.fields(options)}  # type: ignore[arg-type]
    hints = get_type_hints(options)
    values = {}
    for key, value in table.items():
        if key not in known:
            remedy = closest(key, sorted(known)) if known else f"leave it out: {owner} has no options"
            raise RecipeError(f"an option of {owner}", repr(key), remedy)
        matched, values[key] = _match_any(value, hints[key])
        if not matched:
            raise RecipeError(f"{_kinds(hints[key])} for {key} of {owner}", repr(value), _remedy(value, known[key], hints[key]))
    return options(**values)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union; of any other type, itself."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _match_any(value: Any, annotation: Any) -> tuple[bool, Any]:
    """Whether a value is of one of the types, and the value as that type."""
    for member in _members(annotation):
        matched, result = _match(value, member)
        if matched:
            return True, result
    return False, value


def _match(value: Any, annotation: Any) -> tuple[bool, Any]:
    origin = get_origin(annotation)
    if annotation is Any or annotation is type(None):
        return (annotation is Any or value is None), value
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(annotation)), value
    if annotation == SIZE:
        return _match_size(value)
    if origin is tuple:
        return _match_tuple(value, get_args(annotation))
    if origin is not None:  # Mapping[str, ...]
        return isinstance(value, Mapping) and all(_match_any(item, get_args(annotation)[1])[0] for item in value.values()), value
    if annotation is float:
        return _match_float(value)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    if annotation is str and isinstance(value, Path):
        return True, str(value)
    return isinstance(value, annotation), value


def _match_float(value: Any) -> tuple[bool, Any]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False, value
    try:
        return True, float(value)
    except OverflowError:  # a whole number beyond the largest float
        return False, value


def _match_size(value: Any) -> tuple[bool, Any]:
    parts = value.split("x") if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if len(parts) != 2 or not all(str(part).isdecimal() and len(str(part)) <= MOST_DIGITS and int(part) > 0 for part in parts):
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


def _within_bounds(value: Any, field: OptionField) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    if not items:
        return not (isinstance(field.default, tuple) and field.default)
    numbers = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        return False
    if any(bound is not None and not all(holds(n, bound) for n in numbers) for holds, bound in _bounds(field)):
        return False
    return not field.metadata.get("ordered") or numbers == sorted(numbers)


def _bounds(field: OptionField) -> tuple[tuple[Callable[[Any, Any], bool], float | None], ...]:
    low, high, above = (field.metadata.get(name) for name in ("low", "high", "above"))
    return (operator.ge, low), (operator.le, high), (operator.gt, above)


def _kinds(annotation: Any) -> str:
    """What a value may be, in words."""
    return " or ".join(_kind(member) for member in _members(annotation) if member is not type(None))


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(repr, get_args(annotation)))
    if annotation == SIZE:
        return "a size HEIGHTxWIDTH"
    if annotation in WORDS:
        return WORDS[annotation][0]
    if get_origin(annotation) is not tuple:
        return "a table"
    item, *others = get_args(annotation)
    several = WORDS[item][1] if item in WORDS else "items"
    return f"a list of {several}" if others == [Ellipsis] else f"{1 + len(others)} {several}"


def _bounds_in_words(field: OptionField) -> str:
    low, high, above = (field.metadata.get(name) for name in ("low", "high", "above"))
    words = "" if above is None else f" above {above:g}"
    if low is not None and high is not None:
        words = f" from {low:g} to {high:g}"
    elif low is not None:
        words = f" of at least {low:g}"
    return words + (", the lower first" if field.metadata.get("ordered") else "")


def _remedy(value: Any, field: OptionField, annotation: Any) -> str:
    """For a value of another type: the nearest choices, or the default as an example."""
    choices = [str(choice) for member in _members(annotation) if get_origin(member) is Literal for choice in get_args(member)]
    if choices and isinstance(value, str):
        return closest(value, choices)
    default = _default(field, annotation)
    return "give a value of that kind" + (f", as {default}" if default else "")


def _default(field: OptionField, annotation: Any) -> str:
    """The default as a recipe holds it; empty where it has none."""
    if field.default is dataclasses.MISSING or field.default is None:
        return ""
    if SIZE in _members(annotation):
        return "x".join(map(str, field.default))
    return repr(list(field.default) if isinstance(field.default, tuple) else field.default)
