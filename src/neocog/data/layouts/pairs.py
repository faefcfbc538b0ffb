"""A folder of clean pictures beside a folder of noisy ones of the same names, perhaps below a folder per split.

    scans/clean/1.png         scans/noisy/1.png            one pool
    scans/train/clean/…       scans/train/noisy/…          given splits: train, val (also valid, validation), test

The suffixes of a pair's files may differ. A picture without a partner is set aside by its name.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from neocog.data.clean import PairedFiles
from neocog.data.dataset import Split
from neocog.data.layouts.class_folders import SPLIT_NAMES
from neocog.data.layouts.pictures import dataset_name
from neocog.data.listing import Listing, entries, list_pictures
from neocog.data.registry import LAYOUTS, Layout
from neocog.options import NoOptions

__all__ = ["open_pairs", "recognise"]

CLEAN, NOISY = "clean", "noisy"

Holder = tuple[str, str, Split | None]  # paths of the clean and of the noisy folder below the root, and their split


def recognise(root: Path) -> str | None:
    """By two folders of these names, in the folder or in its splits' folders, with a picture of one name in both."""
    holders = _holders(root) if root.is_dir() else []
    if not any(_stems(list_pictures(root / clean)).keys() & _stems(list_pictures(root / noisy)).keys() for clean, noisy, _ in holders):
        return None
    return f"noisy pictures in {', '.join(noisy for _, noisy, _ in holders)}, clean ones beside them"


def open_pairs(root: Path, told_by: str, options: NoOptions) -> PairedFiles:
    """The dataset of all pairs, and of the pictures that have no partner."""
    files: list[str] = []
    partners: list[str] = []
    splits: list[Split | None] = []
    notes = [told_by]
    for clean, noisy, split in _holders(root):
        listings = list_pictures(root / clean), list_pictures(root / noisy)
        for file, partner in _pairs(*listings, f"{clean}/", f"{noisy}/"):
            files.append(file)
            partners.append(partner)
            splits.append(split)
        notes += [*listings[0].notes(f"{clean}/"), *listings[1].notes(f"{noisy}/")]
    return PairedFiles(dataset_name(root), root, files, partners, splits=splits if any(splits) else None, notes=tuple(notes))


def _holders(root: Path) -> list[Holder]:
    own = _holder(root, "", None)
    if own is not None:
        return [own]
    below = [_holder(root, f"{name}/", SPLIT_NAMES[name.lower()]) for name in entries(root)[0] if name.lower() in SPLIT_NAMES]
    return [holder for holder in below if holder is not None]


def _holder(root: Path, prefix: str, split: Split | None) -> Holder | None:
    folders = {name.lower(): name for name in entries(root / prefix)[0]}
    return (prefix + folders[CLEAN], prefix + folders[NOISY], split) if {CLEAN, NOISY} <= folders.keys() else None


def _pairs(clean: Listing, noisy: Listing, clean_prefix: str, noisy_prefix: str) -> Iterator[tuple[str, str]]:
    """Each noisy picture with its clean one, or with nothing; then the clean pictures without a noisy one."""
    by_stem, wanted = _stems(clean), _stems(noisy)
    for name in noisy.files:
        partner = by_stem.get(_stem(name))
        yield noisy_prefix + name, "" if partner is None else clean_prefix + partner
    for name in clean.files:
        if _stem(name) not in wanted:
            yield clean_prefix + name, ""


def _stems(listing: Listing) -> dict[str, str]:
    return {_stem(name): name for name in reversed(listing.files)}


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


LAYOUTS.add_named(
    Layout(
        "pairs",
        "clean/ and noisy/ with pictures of the same names, perhaps in train, val and test",
        "denoise",
        recognise,
        open_pairs,
        order=35,
    ),
)
