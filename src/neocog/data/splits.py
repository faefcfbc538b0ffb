"""Parts a dataset into train, val and test, and records who went where.

Given splits are never cut: with train and val there is no test; with train and test a tenth of train becomes
val; one pool is parted 80/10/10. Parts are stratified by class and drawn from the seed. Equal pictures never
stand on two sides: of one pool they go to one side together; from given splits the copy is set aside that is
in train (or in val, when the other is in test).
"""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.compact import Digests
from neocog.data.dataset import SPLITS, Dataset, Split
from neocog.data.survey import Fault
from neocog.errors import DataError
from neocog.files import write_parts
from neocog.random import generator

__all__ = ["Splits", "make_splits", "read_splits", "recorded_digests", "recorded_pictures", "require_trainable", "write_splits"]

SHARE = 0.1
SMALLEST_FOR_VAL = 3  # pictures of a class from which one goes to val, however small a tenth of them is
SMALLEST_FOR_TEST = 5
MOST_NAMES_SHOWN = 5
SET_ASIDE = "set aside"
COLUMNS = ("picture", "split", "class", "digest", "reason")
WRITTEN_AT_ONCE = 1 << 20  # characters

Indices = np.ndarray[Any, np.dtype[np.int64]]
NONE: Indices = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Splits:
    """Who is where, as indices into the dataset in ascending order.

    Attributes:
        train: learnt from.
        val: watched during training; chooses the best epoch.
        test: measured once, at the end.
        set_aside: what stands in no split: the picture's name and why.
        notes: what a person should know: classes that a split lacks, equal pictures in two classes.
    """

    train: Int64[Tensor, "train"]
    val: Int64[Tensor, "val"]
    test: Int64[Tensor, "test"]
    set_aside: list[tuple[str, str]]
    notes: list[str]

    def of(self, split: Split) -> Int64[Tensor, "n"]:
        """The indices of one split."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]


def require_trainable(dataset: Dataset) -> None:
    """Refuse classes that cannot be learnt.

    Raises:
        DataError: there is only one class of pictures or of pixels, or a class has no picture to train with.
    """
    classes, names = dataset.class_indices(), dataset.class_names
    if dataset.task == "segment" and len(names) < 2:
        found = f"only {names[0] if names else 'void'} in the masks of {dataset.root or dataset.name}"
        raise DataError("at least two classes", found, "see that the masks' numbers or colours are those of the classes")
    if classes is None:
        return
    if len(names) < 2:
        found = f"only {names[0]}" if names else "none"
        raise DataError("at least two classes", f"{found} in {dataset.root or dataset.name}", "add pictures of another class")
    given = dataset.given_splits()
    if "train" not in given:
        return
    trained = set(classes[torch.tensor([dataset.given_split(i) == "train" for i in range(len(dataset))])].unique().tolist())
    for index in sorted(set(classes.unique().tolist()) - trained):
        places = sorted({str(dataset.given_split(i)) for i in (classes == index).nonzero().flatten().tolist()})
        found = f"{names[index]} only in {' and '.join(places)}"
        raise DataError("every class among the training pictures", found, f"add pictures of {names[index]} to train, or take them away")


def make_splits(dataset: Dataset, digests: Sequence[bytes], faults: Sequence[Fault], seed: int) -> Splits:
    """Part a dataset; equal arguments give equal parts.

    Args:
        dataset: to be parted.
        digests: one for each picture.
        faults: pictures that cannot be used; they stand in no split.
        seed: of the draws.

    Raises:
        DataError: there is only one class, or a class has no picture to train with.
    """
    require_trainable(dataset)
    set_aside = [(fault.where, fault.reason) for fault in faults]
    bad = {fault.where for fault in faults}
    usable = np.flatnonzero([where not in bad for where in dataset.wheres()]) if bad else np.arange(len(dataset))
    groups = (digests if isinstance(digests, Digests) else Digests(digests)).groups()
    found = dataset.class_indices()
    classes = np.zeros(len(dataset), dtype=np.int64) if found is None else found.numpy()
    given = set(dataset.given_splits())
    if given and given != {"train"}:
        parts = _given_parts(dataset, usable, groups, set_aside)
        if given == {"train", "test"}:
            parts |= _parted(parts["train"], classes, groups, seed, {"val": SMALLEST_FOR_VAL})
    else:
        parts = _parted(usable, classes, groups, seed, {"test": SMALLEST_FOR_TEST, "val": SMALLEST_FOR_VAL})
    notes: list[str] = []
    if found is not None:
        notes += _contradictions(dataset, usable, classes, groups)
        notes += _missing_classes(dataset, parts, classes)
    else:
        notes += _empty_splits(parts, given)
    train, val, test = (torch.from_numpy(parts.get(split, NONE).astype(np.int64)) for split in SPLITS)
    return Splits(train, val, test, set_aside, notes)


def _given_parts(dataset: Dataset, usable: Indices, groups: Indices, set_aside: list[tuple[str, str]]) -> dict[Split, Indices]:
    """The given splits without copies of what a later one has; those are added to `set_aside`."""
    places = np.fromiter((SPLITS.index(dataset.given_split(index) or "train") for index in usable.tolist()), dtype=np.int8)
    owner = np.full(int(groups.max(initial=-1)) + 1, -1)  # of each group the picture that stays
    parts: dict[Split, Indices] = {}
    for split in reversed(SPLITS):
        pictures = usable[places == SPLITS.index(split)]
        others = owner[groups[pictures]]
        copies = others >= 0
        for index, other in zip(pictures[copies].tolist(), others[copies].tolist(), strict=True):
            set_aside.append((dataset.where(index), f"the same picture as {dataset.where(other)}"))
        parts[split] = kept = pictures[~copies]
        owner[groups[kept[::-1]]] = kept[::-1]  # of equal ones the first, which is written last
    return parts


def _parted(pool: Indices, classes: Indices, groups: Indices, seed: int, smallest: Mapping[Split, int]) -> dict[Split, Indices]:
    """Part a pool by class into a tenth for each wanted split and the rest for train; equal pictures stay together.

    Args:
        pool: indices of pictures, ascending.
        classes: of every picture in the dataset.
        groups: of equal pictures, for every picture in the dataset.
        seed: of the draws.
        smallest: the wanted splits, each with the count of pictures from which a class gives at least one.
    """
    first = pool[np.sort(np.unique(groups[pool], return_index=True)[1])]  # of each group the first picture, ascending
    by_class = first[np.argsort(classes[first], kind="stable")]
    numbers, starts = np.unique(classes[by_class], return_index=True)
    names: tuple[Split, ...] = ("train", *smallest)
    place = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int8)  # of each group, as an index into the names
    for number, begin, end in zip(numbers.tolist(), starts.tolist(), [*starts[1:].tolist(), len(by_class)][: len(starts)], strict=True):
        members = by_class[begin:end]
        drawn = members[torch.randperm(len(members), generator=generator(seed, "splits", 0, number)).numpy()]
        start = 0
        for split, enough in enumerate(smallest.values(), 1):
            count = max(int(len(members) >= enough), int(len(members) * SHARE + 0.5))
            place[groups[drawn[start : start + count]]] = split
            start += count
    return {name: pool[place[groups[pool]] == split] for split, name in enumerate(names)}


def _contradictions(dataset: Dataset, usable: Indices, classes: Indices, groups: Indices) -> list[str]:
    first = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int64)  # picture of each group
    first[groups[usable[::-1]]] = usable[::-1]
    others = first[groups[usable]]
    differ = classes[others] != classes[usable]
    if not differ.any():
        return []
    pairs = zip(others[differ][:MOST_NAMES_SHOWN].tolist(), usable[differ][:MOST_NAMES_SHOWN].tolist(), strict=True)
    shown = ", ".join(f"{dataset.where(other)} = {dataset.where(index)}" for other, index in pairs)
    return [f"the same picture in two classes: {shown}{', …' if differ.sum() > MOST_NAMES_SHOWN else ''}"]


def _empty_splits(parts: Mapping[Split, Indices], given: Collection[Split]) -> list[str]:
    """What to say of a task without one class a picture."""
    notes = [f"{split} is empty: none of its pictures can be used" for split in SPLITS[1:] if split in given and not len(parts[split])]
    if "val" not in given and not len(parts.get("val", NONE)):
        notes.append(f"val is empty: there are fewer than {SMALLEST_FOR_VAL} pictures")
    return notes


def _missing_classes(dataset: Dataset, parts: Mapping[Split, Indices], classes: Indices) -> list[str]:
    notes = []
    for split in SPLITS:
        present = set(np.unique(classes[parts.get(split, NONE)]).tolist())
        missing = [name for index, name in enumerate(dataset.class_names) if index not in present]
        if split == "val" and not present:
            notes.append(f"val is empty: every class has fewer than {SMALLEST_FOR_VAL} pictures")
        if not missing or (split != "train" and not present):
            continue
        if split == "train" and "train" in parts and present:
            found = f"none left of {missing[0]} once faulty pictures and copies are set aside"
            raise DataError("every class among the training pictures", found, f"add pictures of {missing[0]} to train")
        if split != "train":
            shown = ", ".join(missing[:MOST_NAMES_SHOWN]) + (", …" if len(missing) > MOST_NAMES_SHOWN else "")
            notes.append(f"no picture in {split} of {len(missing)} of {len(dataset.class_names)} classes: {shown}")
    return notes


def write_splits(path: Path, splits: Splits, dataset: Dataset, digests: Sequence[bytes]) -> None:
    """Record the splits as CSV: picture, split, class, digest, and why a picture was set aside."""
    write_parts(path, _as_csv(splits, dataset, digests))


def _as_csv(splits: Splits, dataset: Dataset, digests: Sequence[bytes]) -> Iterator[bytes]:
    """The file, some thousand rows at a time."""
    names = _class_names(dataset)
    places = np.full(len(dataset), len(SPLITS), dtype=np.int8)
    for place, split in enumerate(SPLITS):
        places[splits.of(split).numpy()] = place
    reasons = dict(splits.set_aside)
    text = io.StringIO()
    plain, quoted = (csv.writer(text, lineterminator="\n", quoting=quoting) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    plain.writerow(COLUMNS)
    for index, where in enumerate(dataset.wheres()):
        place = (*SPLITS, SET_ASIDE)[places[index]]
        row = (where, place, names(index), digests[index].hex(), reasons.get(where, ""))
        rows = quoted if "\r" in "".join(row) else plain  # which Python quotes by itself since 3.13 only
        rows.writerow(row)
        if text.tell() > WRITTEN_AT_ONCE:
            yield text.getvalue().encode(errors="surrogateescape")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(errors="surrogateescape")


def _class_names(dataset: Dataset) -> Callable[[int], str]:
    """The name of each picture's class; where it has not exactly one, the mark of its target's file."""
    classes = dataset.class_indices()
    if classes is None:
        return dataset.target_mark
    numbers = classes.numpy()
    return lambda index: dataset.class_names[numbers[index]]


def read_splits(path: Path, dataset: Dataset, digests: Sequence[bytes]) -> Splits:
    """Read what `write_splits` wrote, for the same pictures.

    Args:
        path: the CSV file.
        dataset: the pictures as they are now.
        digests: one for each picture as it is now.

    Raises:
        DataError: a picture came, went, or changed its content or its class since; the first one is named.
    """
    found = _read_in_order(path, dataset, digests)
    if found is not None:
        return found
    rows = {row["picture"]: row for row in _recorded(path)}
    wheres, class_name = dataset.wheres(), _class_names(dataset)
    known = {where: index for index, where in enumerate(wheres)}
    for where in rows:
        if where not in known:
            raise _changed(path, f"{where} is gone")
    parts: dict[str, list[int]] = {split: [] for split in (*SPLITS, SET_ASIDE)}
    for index, where in enumerate(wheres):
        if where not in rows:
            raise _changed(path, f"{where} is new")
        row = rows[where]
        if digests[index].hex() != row["digest"]:
            raise _changed(path, f"{where} has another content")
        if class_name(index) != row["class"]:
            classified = dataset.class_indices() is not None
            change = f"is of the class {class_name(index)}, no longer of {row['class']}" if classified else "has another target than before"
            raise _changed(path, f"{where} {change}")
        if row["split"] not in parts:
            raise DataError(f"one of the splits {', '.join(parts)}", f"{row['split']!r} for {where} in {path}", "restore the file")
        parts[row["split"]].append(index)
    train, val, test = (torch.tensor(parts[split], dtype=torch.int64) for split in SPLITS)
    return Splits(train, val, test, [(wheres[index], rows[wheres[index]]["reason"]) for index in parts[SET_ASIDE]], [])


def _read_in_order(path: Path, dataset: Dataset, digests: Sequence[bytes]) -> Splits | None:
    """The splits of a file whose rows are the dataset's pictures, one after another, unchanged; None for another one."""
    places: dict[str | None, int] = {split: place for place, split in enumerate((*SPLITS, SET_ASIDE))}
    found = np.zeros(len(dataset), dtype=np.int8)
    class_name = _class_names(dataset)
    set_aside = []
    for index, (where, row) in enumerate(zip_longest(dataset.wheres(), _recorded(path))):
        if where is None or row is None or row["split"] not in places:
            return None
        if (row["picture"], row["class"], row["digest"]) != (where, class_name(index), digests[index].hex()):
            return None
        found[index] = places[row["split"]]
        if row["split"] == SET_ASIDE:
            set_aside.append((where, row["reason"]))
    train, val, test = (torch.from_numpy(np.flatnonzero(found == places[split])) for split in SPLITS)
    return Splits(train, val, test, set_aside, [])


def recorded_pictures(path: Path, splits: Collection[str]) -> list[str]:
    """The pictures of some splits in a file that `write_splits` wrote, as it calls them; they may be gone by now.

    Raises:
        DataError: the file is no such file, or is cut short.
    """
    return [row["picture"] for row in _recorded(path) if row["split"] in splits]


def recorded_digests(path: Path, splits: Collection[str]) -> set[str]:
    """The hexadecimal digests of the pictures of some splits in a file that `write_splits` wrote.

    Raises:
        DataError: the file is no such file, or is cut short.
    """
    return {row["digest"] for row in _recorded(path) if row["split"] in splits}


def _recorded(path: Path) -> Iterator[dict[str, str]]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        ends_well = file.read() == b"\n"
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
        reader = csv.DictReader(text)
        try:
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DataError(f"a CSV file with the columns {', '.join(COLUMNS)}", f"{path} has others", "restore the file")
            if not ends_well:
                raise DataError("a whole file of splits", f"{path}, cut short", "restore it from a copy")
            yield from reader
        except csv.Error as error:
            raise DataError("a file of splits", f"{path}, damaged: {error}", "restore it from a copy") from error


def _changed(path: Path, found: str) -> DataError:
    return DataError(f"the pictures that {path} lists, unchanged", found, "put the pictures back, or start a new training")
