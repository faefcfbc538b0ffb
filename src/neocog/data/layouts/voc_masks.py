"""PASCAL VOC's folders: JPEGImages, SegmentationClass with palette masks, ImageSets/Segmentation with lists of names.

M. Everingham et al., The PASCAL Visual Object Classes Challenge 2012 Development Kit, section 6. The devkit's own folder holds one
of these for each year, of which the latest is taken: it has the earlier years' masks too. SegmentationClassAug holds masks of
further pictures, as B. Hariharan et al. drew them (2011), https://doi.org/10.1109/ICCV.2011.6126343, with a list of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neocog.data.class_list import by_number, without_void
from neocog.data.dataset import SPLITS, Split
from neocog.data.layouts.pictures_and_masks import MaskOptions
from neocog.data.listing import entries, has_pictures, list_pictures
from neocog.data.masks import MaskedFiles, partners
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError
from neocog.options import option

__all__ = ["VOC", "VocOptions", "open_voc_masks", "recognise"]

PICTURES, MASKS, LISTS = "JPEGImages", "SegmentationClass", "ImageSets/Segmentation"
FURTHER_MASKS, FURTHER_LIST = "SegmentationClassAug", "trainaug.txt"
YEAR = re.compile(r"VOC2\d{3}")
VOC = by_number(
    (
        *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    ),
    void=255,
)
"""Background and the twenty classes of PASCAL VOC."""


@dataclass(frozen=True)
class VocOptions(MaskOptions):
    """What may be chosen of PASCAL VOC's masks."""

    further_masks: bool = option(False, f"take {FURTHER_MASKS} and its list {FURTHER_LIST}, which have more training pictures")


def recognise(root: Path) -> str | None:
    """By the folders of pictures and of masks, in the folder or in that of a year below it."""
    home = _home(root) if root.is_dir() else None
    if home is None:
        return None
    return f"PASCAL VOC's folders {PICTURES} and {MASKS}" + (f" in {home.relative_to(root)}" if home != root else "")


def _home(root: Path) -> Path | None:
    """The folder itself, else the latest year's."""
    years = sorted(filter(YEAR.fullmatch, entries(root)[0]), reverse=True)
    return next((home for home in (root, *(root / year for year in years)) if _is_home(home)), None)


def _is_home(root: Path) -> bool:
    return all((root / name).is_dir() and has_pictures(root / name) for name in (PICTURES, MASKS))


def open_voc_masks(root: Path, told_by: str, options: VocOptions, name: str = "") -> MaskedFiles:
    """The pictures that the lists of the splits name; without lists, all that have a mask.

    Raises:
        DataError: a list names a picture that is not there, or no picture has a mask.
        UsageError: no class has the name of the void label.
    """
    root = _home(root) or root
    folder = FURTHER_MASKS if options.further_masks else MASKS
    if not (root / folder).is_dir():
        raise DataError(f"the folder {folder}", f"none in {root}", "put it there, or leave further_masks out")
    files = list_pictures(root / PICTURES).files
    masks, others = partners(files, list_pictures(root / folder).files)
    notes = [told_by]
    splits = _splits(root, files, FURTHER_LIST if options.further_masks else "train.txt")
    mask_of = dict(zip(files, masks, strict=True))
    for split in _unlabelled(splits or {}, mask_of):
        notes.append(f"left out, the list {split}: none of its pictures has a mask")
        splits = {file: own for file, own in (splits or {}).items() if own != split}
    if splits is None:
        chosen: list[tuple[str, str, Split | None]] = [(file, mask, None) for file, mask in mask_of.items() if mask]
    else:
        chosen = [(file, mask, splits[file]) for file, mask in mask_of.items() if file in splits]
    if not any(mask for _, mask, _ in chosen):
        raise DataError("pictures with masks of the same names", f"none in {root}", "put the masks back")
    if len(files) > len(chosen):
        reason = "without a mask" if splits is None else "in no list"
        notes.append(f"left out, pictures {reason}: {len(files) - len(chosen):,}")
    if others:
        notes.append(f"left out, masks without a picture: {len(others):,}")
    return MaskedFiles(
        name or root.resolve().name,
        root,
        [f"{PICTURES}/{file}" for file, _, _ in chosen],
        [f"{folder}/{mask}" if mask else "" for _, mask, _ in chosen],
        without_void(VOC, options.void),
        splits=None if splits is None else [split for _, _, split in chosen],
        notes=tuple(notes),
    )


def _unlabelled(splits: Mapping[str, Split], mask_of: Mapping[str, str]) -> list[Split]:
    """Splits without a mask: those of the test pictures were never published."""
    labelled = {split for file, split in splits.items() if mask_of[file]}
    return [split for split in SPLITS if split in set(splits.values()) - labelled]


def _splits(root: Path, files: Sequence[str], train: str) -> dict[str, Split] | None:
    """The split of each listed file, of those that several lists have the last one; None where there are no lists."""
    by_stem = {file.rpartition(".")[0]: file for file in files}
    found: dict[str, Split] = {}
    lists: list[tuple[Split, Path]] = [("train", root / LISTS / train), *((split, root / LISTS / f"{split}.txt") for split in SPLITS[1:])]
    for split, path in lists:
        for line in _lines(path):
            if line not in by_stem:
                raise DataError(
                    f"the pictures that {path} lists", f"no {line} in {root / PICTURES}", "put the picture back, or correct the list"
                )
            found[by_stem[line]] = split
    return found if any(path.is_file() for _, path in lists) else None


def _lines(path: Path) -> list[str]:
    """The names; some lists have the path of the picture in the place of its name, and that of the mask after it."""
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("a list of pictures in UTF-8", f"{path}: {error}", "restore the file") from error
    return [re.sub(rf"^/?{PICTURES}/|\.jpg$", "", line.split()[0]) for line in text.splitlines() if line.strip()]


def _open(root: Path, told_by: str, options: VocOptions) -> MaskedFiles:
    return open_voc_masks(root, told_by, options)


LAYOUTS.add_named(
    Layout(
        "VOC masks",
        "PASCAL VOC's JPEGImages, SegmentationClass and ImageSets/Segmentation",
        "segment",
        recognise,
        _open,
        order=20,
        Options=VocOptions,
    ),
)
