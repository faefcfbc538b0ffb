"""Finds a dataset by its name, or by how the files in a folder lie."""

import contextlib
from pathlib import Path
from typing import Any, get_args

from neocog.data.dataset import Dataset, TaskName
from neocog.data.listing import entries
from neocog.data.registry import DATASETS, LAYOUTS, Layout
from neocog.errors import DataError, NeocogError, UsageError
from neocog.images import SUFFIXES
from neocog.machine import data_folder
from neocog.options import options_of
from neocog.registry import closest

__all__ = ["layout_of", "open_dataset"]

TASKS: tuple[TaskName, ...] = get_args(TaskName)


def open_dataset(name_or_path: str | Path, task: str | None = None, **options: Any) -> Dataset:
    """Open a dataset; no picture is decoded yet.

    Args:
        name_or_path: the name of a dataset, or the path of a folder or of a CSV file; where there is none, a
            folder below the data folder. A name goes before a folder of the same name; `./digits` is the folder.
        task: "classify", "detect", "segment" or "denoise"; None for the one that the name or the layout tells.
        options: what may be chosen of this dataset, such as `size` of `shapes`.

    Raises:
        UsageError: there is nothing of that name, or no such task.
        RecipeError: no such option, or a value that it does not admit.
        DataError: no layout is recognised, or the files in it are at fault.
        SurroundingsError: the files of a named dataset are not on this machine.
    """
    wanted = _task(task)
    if isinstance(name_or_path, str) and name_or_path in DATASETS:
        entry = DATASETS[name_or_path]
        if wanted is not None and wanted not in entry.tasks:
            raise UsageError(
                f"a task that {entry.name} has targets for",
                wanted,
                f"choose {'one of ' if len(entry.tasks) > 1 else ''}{', '.join(entry.tasks)}",
            )
        return entry.open(wanted or entry.tasks[0], options_of(entry.Options, options, f"the dataset {entry.name}"))
    try:
        path = _place(name_or_path)
        if not path.exists():
            raise UsageError("the name of a dataset, a folder or a CSV file", f"no {name_or_path}", _near(path))
        layout, told_by = _recognise(path, wanted)
        return layout.open(path, told_by, options_of(layout.Options, options, f"the layout {layout.name!r}"))
    except OSError as error:
        remedy = "allow reading it" if isinstance(error, PermissionError) else "correct the path, or move what lies there"
        raise DataError("a dataset that may be read", f"{error.filename}: {error.strerror}", remedy) from error


def layout_of(name_or_path: str | Path, task: TaskName | None = None) -> Layout | None:
    """The layout of a folder or file; None where there is none, or none is recognised.

    Args:
        name_or_path: as for `open_dataset`.
        task: which targets are wanted.
    """
    try:
        path = _place(name_or_path)
        return _recognise(path, task)[0] if path.exists() else None
    except (NeocogError, OSError, ValueError):
        return None


def _place(name_or_path: str | Path) -> Path:
    """The path itself, or the folder of that name among the datasets."""
    path = Path(name_or_path)
    with contextlib.suppress(RuntimeError):  # a name that begins with ~ and that no account has
        path = path.expanduser()
    among_datasets = data_folder() / path
    return among_datasets if not path.exists() and among_datasets.is_dir() else path


def _task(task: str | None) -> TaskName | None:
    if task is None:
        return None
    for known in TASKS:
        if task == known:
            return known
    raise UsageError("the name of a task", repr(task), closest(task, TASKS))


def _near(path: Path) -> str:
    """The remedy for a path that is not there: names of datasets, or what lies beside it, when near."""
    beside = []
    if path.parent.is_dir():
        folders, files = entries(path.parent)
        beside = folders + [file for file in files if file.lower().endswith(".csv")]
    suggestion = closest(path.name, [*DATASETS.names(), *beside])
    return suggestion if suggestion.startswith("did you mean") else f"correct the path, or {closest(path.name, DATASETS.names())}"


def _recognise(path: Path, task: TaskName | None) -> tuple[Layout, str]:
    if path.is_dir() and not any(entries(path)):
        raise DataError("a folder with pictures", f"{path} is empty", "put pictures into it")
    layouts = sorted((LAYOUTS[name] for name in LAYOUTS), key=lambda layout: layout.order)
    wanted = [layout for layout in layouts if task in (None, layout.task)]
    for layout in wanted:
        told_by = layout.recognise(path) if layout.unasked or task is not None else None
        if told_by is not None:
            return layout, told_by
    if not wanted:
        raise UsageError(f"a dataset with targets for {task}", f"{path}: no layout of files is known for {task}", _named_for(task))
    known = "; ".join(f"{layout.name}: {layout.summary}" for layout in wanted)
    raise DataError("a layout that is known", _description(path), f"lay it out as one of these — {known}")


def _named_for(task: TaskName | None) -> str:
    return f"use one of the datasets {', '.join(name for name in DATASETS if task in DATASETS[name].tasks)}"


def _description(path: Path) -> str:
    if path.is_file():
        return f"the file {path}"
    folders, files = entries(path)
    pictures = sum(Path(file).suffix.lower() in SUFFIXES for file in files)
    return f"{path} with {pictures} pictures, {len(files) - pictures} other files and {len(folders)} folders directly in it"
