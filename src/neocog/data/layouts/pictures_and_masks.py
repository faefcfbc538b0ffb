"""A folder of pictures beside a folder of masks, perhaps below a folder per split.

    cells/images/1.jpg      cells/masks/1.png            one pool
    cells/train/images/…    cells/train/masks/…          given splits: train, val (also valid, validation), test
    cells/images/train/…    cells/masks/train/…          the same

A mask has the name of its picture; endings such as _mask are admitted. Its pixels are class numbers (grey or palette),
or colours that classes.csv lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neocog.data.class_list import ClassList, Void, classes_of
from neocog.data.dataset import Split
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.listing import entries, has_pictures, list_pictures
from neocog.data.masks import MaskedFiles, partners, sharing
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError
from neocog.options import check, option

__all__ = ["Holder", "MaskOptions", "open_masked", "recognise"]

PICTURES = ("images", "imgs", "pictures")
MASKS = ("masks", "labels", "annotations")
MOST_NAMES_SHOWN = 5


@dataclass(frozen=True)
class MaskOptions:
    """What may be chosen of pictures with masks."""

    void: Void = option(
        "", "number or name of the label that means not labelled; none where all pixels are; told from the data", flag="LABEL"
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Holder:
    """Two folders that belong together, below the root.

    Attributes:
        pictures: path of the pictures' folder.
        masks: path of the masks' folder; empty where the split has none.
        split: which all of them are in; None where there are no splits.
    """

    pictures: str
    masks: str
    split: Split | None


def recognise(root: Path) -> str | None:
    """By two folders of these names, in the folder or in its splits' folders, both with pictures."""
    holders = [holder.pictures for holder in _holders(root) if holder.masks] if root.is_dir() else []
    return f"pictures in {', '.join(holders)}, masks beside them" if holders else None


def _holders(root: Path) -> list[Holder]:
    own = _pair(root, "")
    if own is not None:
        return _parted(root, *own)
    found = []
    for name in entries(root)[0]:
        if name.lower() in SPLIT_NAMES:
            pictures, masks = _folders(root, f"{name}/")
            found += [Holder(pictures, masks, SPLIT_NAMES[name.lower()])] if pictures else []
    return found


def _pair(root: Path, prefix: str) -> tuple[str, str] | None:
    pictures, masks = _folders(root, prefix)
    return (pictures, masks) if pictures and masks else None


def _folders(root: Path, prefix: str) -> tuple[str, str]:
    """The folders of pictures and of masks, each empty where there is none that has a picture."""
    folders = {name.lower(): prefix + name for name in entries(root / prefix)[0]}
    found = (next((folders[name] for name in names if name in folders), "") for names in (PICTURES, MASKS))
    pictures, masks = (_with_pictures(root, name) if name else "" for name in found)
    return pictures, masks


def _parted(root: Path, pictures: str, masks: str) -> list[Holder]:
    """The splits' folders inside both, where all pictures lie in such; else the two themselves."""
    folders, files = entries(root / pictures)
    of_masks = {name: _with_pictures(root, f"{masks}/{name}") for name in folders if name.lower() in SPLIT_NAMES}
    if files or len(of_masks) < len(folders) or not any(of_masks.values()):
        return [Holder(pictures, masks, None)]
    return [Holder(f"{pictures}/{name}", own, SPLIT_NAMES[name.lower()]) for name, own in of_masks.items()]


def _with_pictures(root: Path, folder: str) -> str:
    """The folder; empty where it has no picture."""
    return folder if (root / folder).is_dir() and has_pictures(root / folder) else ""


def open_masked(
    name: str, root: Path, told_by: str, holders: Sequence[Holder], *, classes: ClassList | None = None, void: Void = ""
) -> MaskedFiles:
    """The dataset of pictures and masks in pairs of folders.

    Args:
        name: the dataset's name.
        root: the folder.
        told_by: how the layout was told.
        holders: the pairs.
        classes: what the masks' numbers stand for; None reads classes.csv, or where there is none, all masks.
        void: see `without_void`.

    Raises:
        DataError: no picture at all, no classes to be told, or a class list that is damaged.
        UsageError: no class has the name of the void label.
    """
    files: list[str] = []
    masks: list[str] = []
    splits: list[Split | None] = []
    notes = [told_by]
    for holder in holders:
        pictures = list_pictures(root / holder.pictures)
        if not holder.masks:
            notes.append(f"left out, pictures without masks: {holder.pictures} ({len(pictures.files):,})")
            continue
        labels = list_pictures(root / holder.masks)
        own, others = partners(pictures.files, labels.files)
        files += [f"{holder.pictures}/{file}" for file in pictures.files]
        masks += [f"{holder.masks}/{mask}" if mask else "" for mask in own]
        splits += [holder.split] * len(own)
        notes += [*pictures.notes(f"{holder.pictures}/"), *labels.notes(f"{holder.masks}/")]
        if others:
            shown = ", ".join(f"{holder.masks}/{mask}" for mask in others[:MOST_NAMES_SHOWN])
            more = ", …" if len(others) > MOST_NAMES_SHOWN else ""
            notes.append(f"left out, masks without a picture: {len(others)} ({shown}{more})")
    same = sharing(files, masks)
    if same:
        shown = ", ".join(same[:MOST_NAMES_SHOWN]) + (", …" if len(same) > MOST_NAMES_SHOWN else "")
        notes.append(f"pictures with the mask of another one: {len(same)} ({shown})")
    if not any(masks):
        found = f"none of {len(files)} in {root}"
        raise DataError("pictures with masks of the same names", found, "give each mask the name of its picture")
    if classes is None:
        classes = classes_of(root, [root / mask for mask in masks if mask], void)
    return MaskedFiles(name, root, files, masks, classes, splits=splits if any(splits) else None, notes=tuple(notes))


def _open(root: Path, told_by: str, options: MaskOptions) -> MaskedFiles:
    return open_masked(root.resolve().name, root, told_by, _holders(root), void=options.void)


LAYOUTS.add_named(
    Layout(
        "pictures and masks",
        "images/ and masks/ with files of the same names, perhaps in train, val and test; colours of masks in classes.csv",
        "segment",
        recognise,
        _open,
        order=40,
        Options=MaskOptions,
    ),
)
