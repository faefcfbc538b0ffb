"""A folder per class, perhaps below a folder per split.

    photos/cat/1.jpg                  one pool
    photos/train/cat/1.jpg            given splits: train, val (also valid, validation), test

All pictures below a class's folder are of that class, however deep they lie. A class may be called as a split
is (vehicles/bus, vehicles/train): where folders of other names hold pictures too, see `split_folders`.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from pathlib import Path

from neocog.data.compact import Names
from neocog.data.dataset import Split
from neocog.data.files import LabelledFiles
from neocog.data.listing import entries, has_pictures, list_pictures
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError
from neocog.files import printable
from neocog.options import NoOptions

__all__ = ["SPLIT_NAMES", "open_class_folders", "split_folders"]

SPLIT_NAMES: Mapping[str, Split] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
MOST_NAMES_SHOWN = 5


def split_folders(root: Path) -> dict[str, Split]:
    """The folders of the given splits by their names; empty for one pool.

    Where other folders beside them hold pictures, they are splits if all of them have class folders, and if
    there are several of them or none of the others has folders with pictures. Else they are classes.
    """
    folders = entries(root)[0]
    named = {name: SPLIT_NAMES[name.lower()] for name in folders if name.lower() in SPLIT_NAMES}
    others = [name for name in folders if name not in named and has_pictures(root / name)] if named else []
    if not others:
        return named
    have_classes = all(_has_class_folders(root / name) for name in named)
    return named if have_classes and (len(named) > 1 or not any(_has_class_folders(root / name) for name in others)) else {}


def _has_class_folders(folder: Path) -> bool:
    return any(has_pictures(folder / name) for name in entries(folder)[0])


def recognise(root: Path) -> str | None:
    """By folders inside the folder, or inside its splits' folders."""
    if not root.is_dir():
        return None
    splits = split_folders(root)
    for holder in splits or ("",):
        if entries(root / holder)[0]:
            return f"class folders in {', '.join(sorted(splits))}" if splits else "class folders"
    return None


def open_class_folders(root: Path, told_by: str, class_names: Mapping[str, str] | None = None, name: str = "") -> LabelledFiles:
    """The dataset of a folder per class.

    Args:
        root: the folder.
        told_by: how the layout was told.
        class_names: what to call the classes, by the names of their folders; those are WordNet ids then.
        name: the dataset's name; the folder's own where it is empty.

    Raises:
        DataError: no picture at all, or none in one of the class folders.
    """
    splits = split_folders(root)
    notes = [told_by]
    found: list[tuple[str, str, Split | None, Sequence[str]]] = []  # class, prefix of the paths, split, files
    for holder, split in sorted(splits.items()) if splits else [("", None)]:
        prefix = f"{holder}/" if holder else ""
        folders, loose = entries(root / holder)
        for folder in folders:
            listing = list_pictures(root / holder / folder)
            found.append((folder, f"{prefix}{folder}/", split, Names(listing.files)))
            notes.extend(listing.notes(f"{prefix}{folder}/"))
        if loose:
            notes.append(_left_out(f"outside class folders: {len(loose)}", [prefix + file for file in loose]))
    if splits:
        folders, loose = entries(root)
        beside = [f"{folder}/" for folder in folders if folder not in splits] + loose
        if beside:
            notes.append(_left_out("beside the splits", beside))
    notes += [
        f"{folder}/ is a class: other folders beside it hold pictures too" for folder, _, split, _ in found if _misleads(folder, split)
    ]
    _require_pictures(root, found)
    found.sort(key=lambda part: (part[0], part[1]))
    classes = sorted({folder for folder, _, _, _ in found})
    index = {folder: number for number, folder in enumerate(classes)}
    wordnet = class_names is not None
    return LabelledFiles(
        printable(name or root.resolve().name),
        root,
        Names(prefix + file for _, prefix, _, files in found for file in files),
        [number for folder, _, _, files in found for number in repeat(index[folder], len(files))],
        tuple((class_names or {}).get(folder, printable(folder)) for folder in classes),
        class_ids=tuple(classes) if wordnet else (),
        splits=[place for _, _, split, files in found for place in repeat(split, len(files))] if splits else None,
        notes=tuple(notes),
    )


def _misleads(folder: str, split: Split | None) -> bool:
    """Whether a class of one pool is called as a split is."""
    return split is None and folder.lower() in SPLIT_NAMES


def _left_out(what: str, names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES_SHOWN]) + (", …" if len(names) > MOST_NAMES_SHOWN else "")
    return f"left out, {what} ({shown})"


def _require_pictures(root: Path, found: list[tuple[str, str, Split | None, Sequence[str]]]) -> None:
    if not any(files for _, _, _, files in found):
        raise DataError("pictures in class folders", f"none below {root}", "put the pictures of each class into a folder of its own")
    filled = {folder for folder, _, _, files in found if files}
    empty = sorted({folder for folder, _, _, _ in found} - filled)
    if empty:
        shown = ", ".join(empty[:MOST_NAMES_SHOWN]) + (", …" if len(empty) > MOST_NAMES_SHOWN else "")
        raise DataError("pictures in every class folder", f"none for {shown} in {root}", "put pictures in, or take the folder away")


def _open(root: Path, told_by: str, options: NoOptions) -> LabelledFiles:
    return open_class_folders(root, told_by)


LAYOUTS.add_named(
    Layout(
        "class folders",
        "a folder per class, perhaps in train, val (valid, validation) and test",
        "classify",
        recognise,
        _open,
        order=90,
    ),
)
