"""Which datasets have a name, and which layouts of a folder are known."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.data.dataset import Dataset, TaskName
from neocog.errors import SurroundingsError
from neocog.machine import data_folder
from neocog.options import NoOptions
from neocog.registry import Registry

__all__ = ["DATASETS", "LAYOUTS", "Layout", "NamedSet", "published_folder"]


@dataclass(frozen=True)
class NamedSet:
    """A dataset that has a name.

    Attributes:
        name: what a person types.
        summary: one line for tables.
        licence: terms of the pictures, as their publisher states them.
        tasks: which targets it has; the first is taken where none is asked for.
        open: makes the dataset for one of its tasks.
        Options: frozen dataclass of what may be chosen.
        find: where its files lie; raises SurroundingsError where they do not. None for a dataset without files.
    """

    name: str
    summary: str
    licence: str
    open: Callable[[TaskName, Any], Dataset]
    tasks: tuple[TaskName, ...] = ("classify",)
    Options: type[Any] = NoOptions
    find: Callable[[], Path] | None = None


@dataclass(frozen=True)
class Layout:
    """A way in which pictures and what is known about them lie on disk.

    Attributes:
        name: what documentation calls it.
        summary: one line for tables: how to lay a folder out.
        task: what the targets are for.
        recognise: a short text that says by what the layout was told, or None when it is another. Looks at
            names near the top only.
        open: makes the dataset; the text of `recognise` becomes its first note.
        order: layouts are asked in ascending order; the more particular first.
        Options: frozen dataclass of what may be chosen.
        unasked: whether it is told by the files alone, without the task being named.
    """

    name: str
    summary: str
    task: TaskName
    recognise: Callable[[Path], str | None]
    open: Callable[[Path, str, Any], Dataset]
    order: int
    Options: type[Any] = NoOptions
    unasked: bool = True


DATASETS: Registry[NamedSet] = Registry("a dataset", "neocog.data.sets")
LAYOUTS: Registry[Layout] = Registry("a layout", "neocog.data.layouts")


def published_folder(name: str, places: tuple[str, ...], proof: Callable[[Path], bool], by_hand: str, *, fetched: bool = True) -> Path:
    """Where a named dataset's files lie.

    Args:
        name: the dataset's name.
        places: folders below the data folder to look in, in order; the first is where `by_hand` sends.
        proof: whether a folder has the files.
        by_hand: which files to put there.
        fetched: whether `neocog fetch` can get them.

    Raises:
        SurroundingsError: in none of the places.
    """
    base = data_folder()
    for place in places:
        if proof(base / place):
            return base / place
    looked = ", ".join(str(base / place) for place in places)
    remedy = f"put {by_hand} into {base / places[0]} by hand, or set NEOCOG_DATA to the folder that has {places[0]}"
    if fetched:
        remedy = f"neocog fetch {name}, or {remedy}"
    raise SurroundingsError(f"the files of {name}", f"none in {looked}", remedy)
