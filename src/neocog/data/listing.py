"""Finds picture files in folders, quickly, whatever else lies there."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from neocog.images import SUFFIXES

__all__ = ["Listing", "entries", "has_pictures", "is_ignored", "list_pictures"]

IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})
MOST_NAMES_SHOWN = 3


@dataclass
class Listing:
    """The picture files below one folder.

    Attributes:
        files: paths below the folder, with forward slashes, sorted.
        others: files that are no pictures by their names, likewise.
        loops: folders that were not entered a second time, likewise.
    """

    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)

    def notes(self, folder: str) -> tuple[str, ...]:
        """What was left out, in words.

        Args:
            folder: how to call the folder that was listed; empty for the dataset's own.
        """
        found = []
        if self.others:
            kinds = Counter(PurePath(name).suffix.lower() or "no suffix" for name in self.others)
            counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
            shown = ", ".join(f"{folder}{name}" for name in self.others[:MOST_NAMES_SHOWN])
            more = ", …" if len(self.others) > MOST_NAMES_SHOWN else ""
            found.append(f"left out, not pictures: {counted} ({shown}{more})")
        if self.loops:
            found.append(f"left out, folders that are links to a folder already read: {', '.join(folder + name for name in self.loops)}")
        return tuple(found)


def is_ignored(name: str) -> bool:
    """Whether a name belongs to the operating system and not to the person: hidden files, archives' leavings."""
    return name.startswith(".") or name.lower() in IGNORED


def entries(folder: Path) -> tuple[list[str], list[str]]:
    """The names of a folder's own folders and files, each sorted, without what is ignored."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as found:
        for entry in found:
            if not is_ignored(entry.name):
                (folders if _is_folder(entry) else files).append(entry.name)
    return sorted(folders), sorted(files)


def list_pictures(folder: Path) -> Listing:
    """All picture files below a folder, at any depth; links are followed, each folder is entered once."""
    listing = Listing()
    for name in _walk(folder, listing):
        (listing.files if _is_picture(name) else listing.others).append(name)
    for names in (listing.files, listing.others, listing.loops):
        names.sort()
    return listing


def has_pictures(folder: Path) -> bool:
    """Whether there is a picture file below a folder; the first one ends the search."""
    return any(map(_is_picture, _walk(folder, Listing())))


def _is_picture(name: str) -> bool:
    """By the suffix, whose case does not count."""
    return name[name.rfind(".") :].lower() in SUFFIXES  # a path object for each of a million files would take seconds


def _walk(folder: Path, listing: Listing) -> Iterator[str]:
    """The files below a folder, which may lie deeper than Python's recursion goes; the rest is noted in the listing."""
    entered: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        identity = _identity(folder / prefix)
        if identity in entered:
            listing.loops.append(prefix.removesuffix("/"))
            continue
        entered.add(identity)
        inner = []
        with os.scandir(folder / prefix) as found:
            for entry in found:
                if is_ignored(entry.name):
                    continue
                if _is_folder(entry):
                    inner.append(entry.name)
                elif _may_be_read(entry):
                    yield prefix + entry.name
                else:
                    listing.others.append(prefix + entry.name)
        waiting += [f"{prefix}{name}/" for name in sorted(inner, reverse=True)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _may_be_read(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link whose file is missing; reading a pipe would never end."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:
        return False


def _identity(folder: Path) -> tuple[int, int]:
    facts = folder.stat()
    return facts.st_dev, facts.st_ino
