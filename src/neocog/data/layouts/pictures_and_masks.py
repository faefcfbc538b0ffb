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

from neocog.data.class_list import ClassList, Void, classes_in_masks, find_table, read_class_table, without_void
from neocog.data.dataset import Split
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.listing import entries, has_pictures, list_pictures
from neocog.data.masks import MaskedFiles, partners
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
        masks: path of the masks' folder.
        split: which all of them are in; None where there are no splits.
    """

    pictures: str
    masks: str
    split: Split | None


def recognise(root: Path) -> str | None:
    """By two folders of these names, in the folder or in its splits' folders, both with pictures."""
    holders = _holders(root) if root.is_dir() else []
    if not holders:
        return None
    return f"pictures in {', '.join(holder.pictures for holder in holders)}, masks beside them"


def _holders(root: Path) -> list[Holder]:
    own = _pair(root, "")
    if own is not None:
        return _parted(root, *own)
    found = []
    for name in entries(root)[0]:
        pair = _pair(root, f"{name}/") if name.lower() in SPLIT_NAMES else None
        if pair is not None:
            found.append(Holder(*pair, SPLIT_NAMES[name.lower()]))
    return found


def _pair(root: Path, prefix: str) -> tuple[str, str] | None:
    folders = {name.lower(): name for name in entries(root / prefix)[0]}
    pictures, masks = (next((folders[name] for name in names if name in folders), None) for names in (PICTURES, MASKS))
    if pictures is None or masks is None or not all(has_pictures(root / prefix / name) for name in (pictures, masks)):
        return None
    return prefix + pictures, prefix + masks


def _parted(root: Path, pictures: str, masks: str) -> list[Holder]:
    """The splits' folders inside both, where all pictures lie in such; else the two themselves."""
    folders, files = entries(root / pictures)
    if not folders or files or not all(name.lower() in SPLIT_NAMES and (root / masks / name).is_dir() for name in folders):
        return [Holder(pictures, masks, None)]
    return [Holder(f"{pictures}/{name}", f"{masks}/{name}", SPLIT_NAMES[name.lower()]) for name in folders]


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
        pictures, labels = list_pictures(root / holder.pictures), list_pictures(root / holder.masks)
        own, others = partners(pictures.files, labels.files)
        files += [f"{holder.pictures}/{file}" for file in pictures.files]
        masks += [f"{holder.masks}/{mask}" if mask else "" for mask in own]
        splits += [holder.split] * len(own)
        notes += [*pictures.notes(f"{holder.pictures}/"), *labels.notes(f"{holder.masks}/")]
        if others:
            shown = ", ".join(f"{holder.masks}/{mask}" for mask in others[:MOST_NAMES_SHOWN])
            more = ", …" if len(others) > MOST_NAMES_SHOWN else ""
            notes.append(f"left out, masks without a picture: {len(others)} ({shown}{more})")
    if not any(masks):
        found = f"none of {len(files)} in {root}"
        raise DataError("pictures with masks of the same names", found, "give each mask the name of its picture")
    if classes is None:
        table = find_table(root)
        known = (root / mask for mask in masks if mask)
        classes = classes_in_masks(known, void) if table is None else without_void(read_class_table(table), void)
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
