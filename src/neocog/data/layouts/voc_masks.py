"""PASCAL VOC's folders: JPEGImages, SegmentationClass with palette masks, ImageSets/Segmentation with lists of names."""

from pathlib import Path

from neocog.data.class_list import by_number, without_void
from neocog.data.dataset import Split
from neocog.data.layouts.pictures_and_masks import MaskOptions
from neocog.data.listing import has_pictures, list_pictures
from neocog.data.masks import MaskedFiles, partners
from neocog.data.registry import LAYOUTS, Layout
from neocog.errors import DataError

__all__ = ["VOC", "open_voc_masks", "recognise"]

PICTURES, MASKS, LISTS = "JPEGImages", "SegmentationClass", "ImageSets/Segmentation"
VOC = by_number(
    (
        *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("dining table", "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor"),
    ),
    void=255,
)
"""Background and the twenty classes of PASCAL VOC."""

SPLIT_LISTS: tuple[Split, ...] = ("train", "val", "test")


def recognise(root: Path) -> str | None:
    """By the folders of pictures and of masks."""
    if not all((root / name).is_dir() and has_pictures(root / name) for name in (PICTURES, MASKS)):
        return None
    return f"PASCAL VOC's folders {PICTURES} and {MASKS}"


def open_voc_masks(root: Path, told_by: str, options: MaskOptions, name: str = "") -> MaskedFiles:
    """The pictures that the lists of the splits name; without lists, all that have a mask.

    Raises:
        DataError: a list names a picture that is not there, or no picture has a mask.
        UsageError: no class has the name of the void label.
    """
    files = list_pictures(root / PICTURES).files
    masks, others = partners(files, list_pictures(root / MASKS).files)
    notes = [told_by]
    splits = _splits(root, files)
    if splits is None:
        chosen: list[tuple[str, str, Split | None]] = [(file, mask, None) for file, mask in zip(files, masks, strict=True) if mask]
    else:
        chosen = [(file, mask, splits[file]) for file, mask in zip(files, masks, strict=True) if file in splits]
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
        [f"{MASKS}/{mask}" if mask else "" for _, mask, _ in chosen],
        without_void(VOC, options.void),
        splits=None if splits is None else [split for _, _, split in chosen],
        notes=tuple(notes),
    )


def _splits(root: Path, files: list[str]) -> dict[str, Split] | None:
    """The split of each listed file; None where there are no lists."""
    by_stem = {file.rpartition(".")[0]: file for file in files}
    found: dict[str, Split] = {}
    lists = [(split, root / LISTS / f"{split}.txt") for split in SPLIT_LISTS]
    for split, path in lists:
        for line in _lines(path):
            if line not in by_stem:
                raise DataError(
                    f"the pictures that {path} lists", f"no {line} in {root / PICTURES}", "put the picture back, or correct the list"
                )
            found.setdefault(by_stem[line], split)
    return found if any(path.is_file() for _, path in lists) else None


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("a list of pictures in UTF-8", f"{path}: {error}", "restore the file") from error


def _open(root: Path, told_by: str, options: MaskOptions) -> MaskedFiles:
    return open_voc_masks(root, told_by, options)


LAYOUTS.add_named(
    Layout(
        "VOC masks",
        "PASCAL VOC's JPEGImages, SegmentationClass and ImageSets/Segmentation",
        "segment",
        recognise,
        _open,
        order=20,
        Options=MaskOptions,
    ),
)
