"""A folder of pictures for each split, and beside it one of masks: CamVid's `train/` and `trainannot/`.

The masks' folder is called as the pictures' with annot, _labels or _masks at its end.
"""

from collections.abc import Sequence
from pathlib import Path

from neocog.data.class_list import ClassList, by_number, without_void
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.layouts.pictures_and_masks import Holder, MaskOptions, open_masked
from neocog.data.listing import entries, has_pictures
from neocog.data.masks import MaskedFiles
from neocog.data.registry import LAYOUTS, Layout

__all__ = ["CAMVID", "open_split_and_masks", "recognise"]

ENDINGS = ("annot", "_labels", "_masks")
CAMVID = by_number(
    ("sky", "building", "pole", "road", "pavement", "tree", "signsymbol", "fence", "car", "pedestrian", "bicyclist"), void=11
)
"""The eleven classes of the SegNet authors' copy of CamVid."""


def recognise(root: Path) -> str | None:
    """By a folder of a split and one of the same name with such an ending, both with pictures."""
    holders = [holder.pictures for holder in _holders(root) if holder.masks] if root.is_dir() else []
    return f"pictures in {', '.join(holders)}, masks in folders of the same names" if holders else None


def _holders(root: Path) -> list[Holder]:
    """The splits' folders with their masks' folders; none where no split has masks."""
    folders = entries(root)[0]
    splits = {name: _masks_of(root, name, folders) for name in folders if name.lower() in SPLIT_NAMES}
    if not any(splits.values()):
        return []
    return [Holder(name, masks, SPLIT_NAMES[name.lower()]) for name, masks in splits.items() if has_pictures(root / name)]


def _masks_of(root: Path, name: str, folders: Sequence[str]) -> str:
    """The folder of a split's masks; empty where there is none that has a picture."""
    beside = (name + ending for ending in ENDINGS if name + ending in folders)
    return next((masks for masks in beside if has_pictures(root / masks)), "")


def open_split_and_masks(root: Path, told_by: str, options: MaskOptions, name: str = "", classes: ClassList | None = None) -> MaskedFiles:
    """The dataset of these folders.

    Args:
        root: the folder.
        told_by: how the layout was told.
        options: the void label.
        name: the dataset's name; the folder's own where it is empty.
        classes: CamVid's in a folder of that name, unless others are given.
    """
    own = root.resolve().name
    if classes is None and "camvid" in own.lower() and (root / "trainannot").is_dir():
        classes = without_void(CAMVID, options.void)
    return open_masked(name or own, root, told_by, _holders(root), classes=classes, void=options.void)


def _open(root: Path, told_by: str, options: MaskOptions) -> MaskedFiles:
    return open_split_and_masks(root, told_by, options)


LAYOUTS.add_named(
    Layout(
        "splits with masks beside",
        "train/ and trainannot/ as CamVid (or train_labels/, train_masks/), likewise val and test",
        "segment",
        recognise,
        _open,
        order=30,
        Options=MaskOptions,
    ),
)
