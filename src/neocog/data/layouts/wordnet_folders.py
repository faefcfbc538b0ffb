"""A folder per WordNet id, as ImageNet lies on disk: `train/n01440764/…`, or without splits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neocog.data.files import LabelledFiles
from neocog.data.layouts.class_folders import open_class_folders, split_folders
from neocog.data.listing import entries
from neocog.data.registry import LAYOUTS, Layout
from neocog.options import check, option

__all__ = ["Options", "open_wordnet_folders", "recognise"]

WORDNET_ID = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class Options:
    """What may be chosen."""

    class_names: Mapping[str, str] = option(
        {}, "what to call the classes, by WordNet id; an id without an entry is its own name", flag=False
    )

    def __post_init__(self) -> None:
        check(self)


def recognise(root: Path) -> str | None:
    """By folders that are all called n and eight digits."""
    if not root.is_dir():
        return None
    splits = split_folders(root)
    names = {name for holder in splits or ("",) for name in entries(root / holder)[0]}
    if not names or not all(WORDNET_ID.fullmatch(name) for name in names):
        return None
    return f"folders of WordNet ids in {', '.join(sorted(splits))}" if splits else "folders of WordNet ids"


def open_wordnet_folders(root: Path, told_by: str, options: Options) -> LabelledFiles:
    """The dataset, with its ids kept beside the names.

    Raises:
        DataError: no picture at all, or none in one of the folders.
    """
    return open_class_folders(root, told_by, options.class_names)


LAYOUTS.add_named(
    Layout(
        "WordNet folders",
        "a folder per WordNet id (n01440764), perhaps in train, val and test",
        "classify",
        recognise,
        open_wordnet_folders,
        order=50,
        Options=Options,
    ),
)
