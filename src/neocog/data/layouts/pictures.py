"""Any folder of clean pictures, at any depth, to learn denoising from; perhaps below a folder per split.

    photos/…/1.jpg            one pool
    photos/train/…/1.jpg      given splits: train, val (also valid, validation), test

It is told by the task alone: the same folder may hold classes.
"""

from pathlib import Path

from neocog.data.clean import CleanFiles
from neocog.data.dataset import Split
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.listing import entries, has_pictures, list_pictures
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError
from neocog.images import SUFFIXES
from neocog.options import NoOptions

__all__ = ["dataset_name", "open_pictures", "recognise", "split_folders"]


def recognise(root: Path) -> str | None:
    """By a picture anywhere below the folder."""
    if not root.is_dir() or not has_pictures(root):
        return None
    splits = split_folders(root)
    return f"clean pictures in {', '.join(sorted(splits))}" if splits else "a folder of clean pictures"


def split_folders(root: Path) -> dict[str, Split]:
    """The folders of the given splits by their names; empty where pictures lie beside them too, or where there are none."""
    folders, files = entries(root)
    named = {name: SPLIT_NAMES[name.lower()] for name in folders if name.lower() in SPLIT_NAMES and has_pictures(root / name)}
    loose = any(Path(file).suffix.lower() in SUFFIXES for file in files)
    return {} if loose or any(has_pictures(root / name) for name in folders if name not in named) else named


def dataset_name(root: Path) -> str:
    """The folder's own name; one that says only which split it is has the name above it too."""
    name = root.resolve().name
    return f"{root.resolve().parent.name}-{name}" if name.lower() in SPLIT_NAMES else name


def open_pictures(root: Path, told_by: str, options: NoOptions) -> CleanFiles:
    """The dataset of all pictures below the folder.

    Raises:
        DataError: there is none.
    """
    splits = split_folders(root)
    files: list[str] = []
    places: list[Split | None] = []
    notes = [told_by]
    for holder, split in sorted(splits.items()) if splits else [("", None)]:
        prefix = f"{holder}/" if holder else ""
        listing = list_pictures(root / holder)
        files += [prefix + name for name in listing.files]
        places += [split] * len(listing.files)
        notes += listing.notes(prefix)
    if not files:
        raise DataError("clean pictures", f"none below {root}", "put pictures into it")
    return CleanFiles(dataset_name(root), root, files, splits=places if splits else None, notes=tuple(notes))


LAYOUTS.add_named(
    Layout(
        "pictures",
        "any folder of clean pictures, perhaps in train, val and test; with --task denoise",
        "denoise",
        recognise,
        open_pictures,
        order=95,
        unasked=False,
    ),
)
