"""Command-line flags from the fields of frozen dataclasses, and back to the fields that were given.

A field `label_smoothing: float = option(0.0, "...")` becomes the flag ``--label-smoothing FLOAT``. The dataclass
stays the single source: its default, its type, its help, and whether there is a flag at all.
"""

import argparse
import contextlib
import dataclasses
import re
import types
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from neocog.errors import UsageError
from neocog.registry import closest

__all__ = ["add_fields", "as_flag", "as_float", "given_fields"]

Value = TypeVar("Value")
Convert = Callable[[str], Any]


def as_flag(field: str) -> str:
    """The flag of a field: ``batch_size`` is given by ``--batch-size``."""
    return "--" + field.replace("_", "-")


def add_fields(parser: argparse.ArgumentParser, options: type, *, title: str | None = None, skip: Collection[str] = ()) -> None:
    """Add one flag for each field of a dataclass.

    Args:
        options: the dataclass. Types: int, float, str, bool (``--x`` and ``--no-x``), Path, Literal, `Size`
            (``HEIGHTxWIDTH``), tuples of these (values separated by spaces), unions of these (the first
            that fits), and any of these or None (``none``, where the type admits no text).
        title: heads the flags in the help; without it they stand among the others.
        skip: fields that get no flag here; those that never have one are left out too.

    Raises:
        TypeError: a field has a type that no flag can give.
    """
    hints = get_type_hints(options)
    group = parser.add_argument_group(title) if title else parser
    for field in dataclasses.fields(options):
        flag = field.metadata.get("flag", True)
        if field.name in skip or flag is False:
            continue
        group.add_argument(
            as_flag(field.name),
            dest=field.name,
            default=argparse.SUPPRESS,  # so that only what was given is in the result
            help=_help(field),
            **_how(as_flag(field.name), hints[field.name], flag if isinstance(flag, str) else None),
        )


def given_fields(arguments: argparse.Namespace, options: type) -> dict[str, Any]:
    """The values of a dataclass's fields that stood on the command line."""
    given = vars(arguments)
    return {
        field.name: tuple(value) if isinstance(value := given[field.name], list) else value
        for field in dataclasses.fields(options)
        if field.name in given
    }


def _help(field: dataclasses.Field[Any]) -> str:
    text = str(field.metadata.get("help", ""))
    if field.default is not dataclasses.MISSING and field.default is not None:
        text = f"{text} (default {_as_typed(field.default)})".strip()
    return text.replace("%", "%%")  # argparse formats it


def _as_typed(value: Any) -> str:
    """A value as a person would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        if len(value) == 2 and all(type(side) is int for side in value):
            return f"{value[0]}x{value[1]}"
        return " ".join(map(_as_typed, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _how(flag: str, annotation: Any, metavar: str | None) -> dict[str, Any]:
    """What argparse must know of a field's type."""
    members = _members(annotation)
    if bool in members:
        return {"action": argparse.BooleanOptionalAction}
    if len(members) == 1 and get_origin(members[0]) is tuple and members[0] != tuple[int, int]:
        item, *others = get_args(members[0])
        convert, name = _converter(flag, item)
        return {"type": convert, "nargs": "*" if others == [Ellipsis] else 1 + len(others), "metavar": metavar or name}
    converters = [_converter(flag, member) for member in members]
    convert = _first_that_fits([convert for convert, _ in converters])
    if members != (annotation,) and str not in members and Path not in members:
        convert = _or_none(convert)
    return {"type": convert, "metavar": metavar or converters[0][1]}


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union, None left out; of any other type, itself."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return (annotation,)
    return tuple(member for member in get_args(annotation) if member is not type(None))


def _or_none(convert: Convert) -> Convert:
    return lambda text: None if text == "none" else convert(text)


def _first_that_fits(converters: Sequence[Convert]) -> Convert:
    """Converts by the first type of a union that takes the text; says what the last one has against it."""

    def convert(text: str) -> Any:
        for attempt in converters[:-1]:
            with contextlib.suppress(UsageError):
                return attempt(text)
        return converters[-1](text)

    return convert


def _converter(flag: str, annotation: Any) -> tuple[Convert, str]:
    """A function from text to value, and the value's name in the help."""
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        return _choice(flag, values), "{" + ",".join(map(str, values)) + "}"
    if annotation == tuple[int, int]:
        return _size(flag), "HEIGHTxWIDTH"
    if annotation is int:
        return _number(flag, int, "a whole number"), "INT"
    if annotation is float:
        return _number(flag, as_float, "a number"), "FLOAT"
    if annotation is Path:
        return (lambda text: Path(text).expanduser()), "PATH"
    if annotation is str:
        return str, "TEXT"
    raise TypeError(f"no flag can give {annotation} ({flag})")


def as_float(text: str) -> float:
    """A number, or a fraction of two, as 8/255.

    Raises:
        ValueError: it is neither, or a fraction of 0.
    """
    upper, bar, lower = text.partition("/")
    if bar and float(lower) == 0:
        raise ValueError(f"{text} has no value")
    return float(upper) / float(lower) if bar else float(text)


def _number(flag: str, kind: Callable[[str], Value], words: str) -> Callable[[str], Value]:
    def convert(text: str) -> Value:
        try:
            return kind(text)
        except ValueError:
            raise UsageError(f"{words} for {flag}", repr(text), f"write {flag} and {words}") from None

    return convert


def _size(flag: str) -> Callable[[str], tuple[int, int]]:
    def convert(text: str) -> tuple[int, int]:
        match = re.fullmatch(r"([1-9]\d*)[x×]([1-9]\d*)", text)
        if match is None:
            remedy = f"write {flag} {text}x{text}" if text.isdecimal() and int(text) else f"write it as {flag} 224x224"
            raise UsageError(f"height and width in pixels for {flag}, as HEIGHTxWIDTH", repr(text), remedy)
        return int(match[1]), int(match[2])

    return convert


def _choice(flag: str, values: Sequence[Any]) -> Convert:
    def convert(text: str) -> Any:
        admitted = {str(value): value for value in values}
        if text not in admitted:
            raise UsageError(f"one of the values of {flag}", repr(text), closest(text, list(admitted)))
        return admitted[text]

    return convert
