"""How a member of an open folder declares its options: one frozen dataclass, each field with its help and bounds.

A field made by `option` carries what the command line, the recipe and the documentation show about it, and
`check` holds every value against its bounds.
"""

import dataclasses
import math
from typing import Any

from neocog.errors import RecipeError

__all__ = ["check", "option"]


def option(default: Any, help: str, *, low: float | None = None, high: float | None = None, ordered: bool = False) -> Any:
    """A field of an options dataclass.

    Args:
        default: the value that is used when none is given; its type is the option's type (bool, int, float,
            or a tuple of one of these).
        help: what the option does, with unit and range.
        low: the smallest admitted value, of every item where the option is a tuple.
        high: the largest admitted value.
        ordered: the items of a tuple must not fall: a range from lowest to highest.
    """
    return dataclasses.field(default=default, metadata={"help": help, "low": low, "high": high, "ordered": ordered})


def check(options: Any) -> None:
    """Hold the values of an options dataclass against what its fields say; call it from `__post_init__`.

    An int is admitted where a float is wanted. A tuple must have as many items as its default, unless its
    annotation ends in an ellipsis.

    Raises:
        RecipeError: a value of another type, out of its bounds or not a finite number; the text names the field.
    """
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if not _fits(field, value):
            wanted = _describe(field)
            raise RecipeError(f"{field.name} to be {wanted}", repr(value), f"give {field.name} {wanted}; the default is {field.default}")


def _fits(field: "dataclasses.Field[Any]", value: Any) -> bool:
    default = field.default
    if not isinstance(default, tuple):
        return _item_fits(field, value, default)
    if not isinstance(value, tuple) or not value or (len(value) != len(default) and not _any_length(field)):
        return False
    if not all(_item_fits(field, item, default[0]) for item in value):
        return False
    return not field.metadata["ordered"] or list(value) == sorted(value)


def _item_fits(field: "dataclasses.Field[Any]", value: Any, example: Any) -> bool:
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(value, type(example))
    if not isinstance(value, (int, float) if isinstance(example, float) else type(example)):
        return False
    low, high = field.metadata["low"], field.metadata["high"]
    return math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)


def _any_length(field: "dataclasses.Field[Any]") -> bool:
    return str(field.type).endswith("...]")


def _describe(field: "dataclasses.Field[Any]") -> str:
    default, low, high = field.default, field.metadata["low"], field.metadata["high"]
    example = default[0] if isinstance(default, tuple) else default
    kinds = {bool: ("true or false", "truth values"), int: ("a whole number", "whole numbers"), float: ("a number", "numbers")}
    one, many = kinds[type(example)]
    words = one
    if isinstance(default, tuple):
        words = many if _any_length(field) else f"{len(default)} {many}"
    if low is not None and high is not None:
        words += f" from {low:g} to {high:g}"
    elif low is not None:
        words += f" of at least {low:g}"
    return words + (", the lower first" if field.metadata["ordered"] else "")
