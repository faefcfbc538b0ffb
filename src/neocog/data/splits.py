"""Parts a dataset into train, val and test, and records who went where.

Given splits are never cut: with train and val there is no test; with train and test a tenth of train becomes
val; one pool is parted 80/10/10. Parts are stratified by class and drawn from the seed. Equal pictures never
stand on two sides: of one pool they go to one side together; from given splits the copy is set aside that is
in train (or in val, when the other is in test).
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import SPLITS, Dataset, Split
from neocog.data.survey import Fault
from neocog.errors import DataError
from neocog.files import write_atomically
from neocog.random import generator

__all__ = ["Splits", "make_splits", "read_splits", "recorded_pictures", "require_trainable", "write_splits"]

SHARE = 0.1
SMALLEST_FOR_VAL = 3  # pictures of a class from which one goes to val, however small a tenth of them is
SMALLEST_FOR_TEST = 5
MOST_NAMES_SHOWN = 5
SET_ASIDE = "set aside"
COLUMNS = ("picture", "split", "class", "digest", "reason")


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
    """Refuse a classification that cannot be learnt.

    Raises:
        DataError: there is only one class, or a class has no picture to train with.
    """
    classes = dataset.class_indices()
    if classes is None:
        return
    names = dataset.class_names
    if len(names) < 2:
        found = f"only {names[0]}" if names else "none"
        raise DataError("at least two classes", f"{found} in {dataset.root or dataset.name}", "add pictures of another class")
    given = dataset.given_splits()
    if "train" not in given:
        return
    trained = {int(classes[i]) for i in range(len(dataset)) if dataset.given_split(i) == "train"}
    for index in sorted(set(classes.tolist()) - trained):
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
    usable = [index for index, where in enumerate(dataset.wheres()) if where not in bad]
    found = dataset.class_indices()
    classes = [0] * len(dataset) if found is None else found.tolist()
    given = set(dataset.given_splits())
    if given and given != {"train"}:
        parts = _given_parts(dataset, usable, digests, set_aside)
        if given == {"train", "test"}:
            parts |= _parted(parts["train"], classes, digests, seed, {"val": SMALLEST_FOR_VAL})
    else:
        parts = _parted(usable, classes, digests, seed, {"test": SMALLEST_FOR_TEST, "val": SMALLEST_FOR_VAL})
    notes: list[str] = []
    if found is not None:
        notes += _contradictions(dataset, usable, classes, digests)
        notes += _missing_classes(dataset, parts, classes)
    train, val, test = (torch.tensor(sorted(parts.get(split, [])), dtype=torch.int64) for split in SPLITS)
    return Splits(train, val, test, set_aside, notes)


def _given_parts(
    dataset: Dataset, usable: Sequence[int], digests: Sequence[bytes], set_aside: list[tuple[str, str]]
) -> dict[Split, list[int]]:
    """The given splits without copies of what a later one has; those are added to `set_aside`."""
    parts: dict[Split, list[int]] = {split: [] for split in SPLITS}
    for index in usable:
        parts[dataset.given_split(index) or "train"].append(index)
    owner: dict[bytes, int] = {}
    for split in reversed(SPLITS):
        kept = []
        for index in parts[split]:
            other = owner.get(digests[index])
            if other is None:
                kept.append(index)
            else:
                set_aside.append((dataset.where(index), f"the same picture as {dataset.where(other)}"))
        parts[split] = kept
        for index in kept:
            owner.setdefault(digests[index], index)
    return parts


def _parted(
    pool: Sequence[int], classes: Sequence[int], digests: Sequence[bytes], seed: int, smallest: Mapping[Split, int]
) -> dict[Split, list[int]]:
    """Part a pool by class into a tenth for each wanted split and the rest for train; equal pictures stay together.

    Args:
        pool: indices of pictures.
        classes: of every picture in the dataset.
        digests: of every picture in the dataset.
        seed: of the draws.
        smallest: the wanted splits, each with the count of pictures from which a class gives at least one.
    """
    groups: dict[bytes, list[int]] = {}
    for index in pool:
        groups.setdefault(digests[index], []).append(index)
    by_class: dict[int, list[list[int]]] = {}
    for group in groups.values():
        by_class.setdefault(classes[group[0]], []).append(group)
    parts: dict[Split, list[int]] = {"train": [], **{split: [] for split in smallest}}
    for number, members in sorted(by_class.items()):
        drawn = [members[i] for i in torch.randperm(len(members), generator=generator(seed, "splits", 0, number)).tolist()]
        start = 0
        for split, enough in smallest.items():
            count = max(int(len(members) >= enough), int(len(members) * SHARE + 0.5))
            parts[split] += [index for group in drawn[start : start + count] for index in group]
            start += count
        parts["train"] += [index for group in drawn[start:] for index in group]
    return parts


def _contradictions(dataset: Dataset, usable: Iterable[int], classes: Sequence[int], digests: Sequence[bytes]) -> list[str]:
    first: dict[bytes, int] = {}
    pairs = []
    for index in usable:
        other = first.setdefault(digests[index], index)
        if classes[other] != classes[index]:
            pairs.append(f"{dataset.where(other)} = {dataset.where(index)}")
    if not pairs:
        return []
    shown = ", ".join(pairs[:MOST_NAMES_SHOWN]) + (", …" if len(pairs) > MOST_NAMES_SHOWN else "")
    return [f"the same picture in two classes: {shown}"]


def _missing_classes(dataset: Dataset, parts: Mapping[Split, Sequence[int]], classes: Sequence[int]) -> list[str]:
    notes = []
    for split in SPLITS:
        present = {classes[index] for index in parts.get(split, [])}
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
    classes = dataset.class_indices()
    place: dict[int, str] = {index: split for split in SPLITS for index in splits.of(split).tolist()}
    reasons = dict(splits.set_aside)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for index, where in enumerate(dataset.wheres()):
        name = "" if classes is None else dataset.class_names[int(classes[index])]
        rows.writerow((where, place.get(index, SET_ASIDE), name, digests[index].hex(), reasons.get(where, "")))
    write_atomically(path, text.getvalue().encode(errors="surrogateescape"))


def read_splits(path: Path, dataset: Dataset, digests: Sequence[bytes]) -> Splits:
    """Read what `write_splits` wrote, for the same pictures.

    Args:
        path: the CSV file.
        dataset: the pictures as they are now.
        digests: one for each picture as it is now.

    Raises:
        DataError: a picture came, went, or changed its content or its class since; the first one is named.
    """
    rows = _recorded(path)
    wheres, classes = dataset.wheres(), dataset.class_indices()
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
        name = "" if classes is None else dataset.class_names[int(classes[index])]
        if name != row["class"]:
            raise _changed(path, f"{where} is of the class {name}, no longer of {row['class']}")
        if row["split"] not in parts:
            raise DataError(f"one of the splits {', '.join(parts)}", f"{row['split']!r} for {where} in {path}", "restore the file")
        parts[row["split"]].append(index)
    train, val, test = (torch.tensor(parts[split], dtype=torch.int64) for split in SPLITS)
    return Splits(train, val, test, [(wheres[index], rows[wheres[index]]["reason"]) for index in parts[SET_ASIDE]], [])


def recorded_pictures(path: Path, splits: Collection[str]) -> list[str]:
    """The pictures of some splits in a file that `write_splits` wrote, as it calls them; they may be gone by now.

    Raises:
        DataError: the file is no such file, or is cut short.
    """
    return [where for where, row in _recorded(path).items() if row["split"] in splits]


def _recorded(path: Path) -> dict[str, dict[str, str]]:
    text = path.read_bytes().decode(errors="surrogateescape")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DataError(f"a CSV file with the columns {', '.join(COLUMNS)}", f"{path} has others", "restore the file")
    if not text.endswith("\n"):
        raise DataError("a whole file of splits", f"{path}, cut short", "restore it from a copy")
    return {row["picture"]: row for row in reader}


def _changed(path: Path, found: str) -> DataError:
    return DataError(f"the pictures that {path} lists, unchanged", found, "put the pictures back, or start a new training")
