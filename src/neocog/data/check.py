"""What is in a dataset, and what is wrong with it: what `neocog data` prints."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.data.dataset import SPLITS, Dataset
from neocog.data.splits import Splits, make_splits
from neocog.data.survey import Fault, Note, Survey, judge, survey
from neocog.errors import DataError
from neocog.targets import Boxes, Mask, Target

__all__ = ["Fault", "Note", "Report", "Spread", "check"]

POOL = "all"
VOID = -1


@dataclass(frozen=True)
class Spread:
    """The smallest, the middle and the largest of some lengths, in pixels."""

    least: int
    median: int
    most: int


@dataclass(frozen=True)
class Report:
    """What one pass over all pictures found.

    Attributes:
        dataset: its name.
        task: what the targets are for.
        root: where it was read from; empty for what is drawn or comes with a package.
        licence: terms of the pictures.
        fingerprint: as `Dataset.fingerprint`.
        class_names: in the order of their indices.
        pictures: how many in each given split, faulty ones included; "all" for one pool.
        classes: for each of those, how many pictures a class has (detection: boxes; segmentation: pictures in
            which it appears), without faulty ones.
        pixels: of a segmentation, for each of those how many pixels a class has, and under "void" those without one.
        heights: of the upright pictures; None when none can be used.
        widths: likewise.
        grey: how many pictures have one channel.
        colour: how many pictures have three.
        faults: pictures that cannot be used.
        notes: what is worth knowing about single pictures.
        duplicates: names of pictures that are equal, group by group.
        contradictions: the groups among them that stand in more than one class.
        leaks: the groups among them that stand in more than one split.
        splits: how many pictures training would put where, by default; empty where it would refuse.
        remarks: how the layout was told, what was left out, and what the splits would lack.
        obstacles: what would stop a training.
    """

    dataset: str
    task: str
    root: str
    licence: str
    fingerprint: str
    class_names: tuple[str, ...]
    pictures: dict[str, int]
    classes: dict[str, dict[str, int]]
    pixels: dict[str, dict[str, int]]
    heights: Spread | None
    widths: Spread | None
    grey: int
    colour: int
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]
    duplicates: tuple[tuple[str, ...], ...]
    contradictions: tuple[tuple[str, ...], ...]
    leaks: tuple[tuple[str, ...], ...]
    splits: dict[str, int]
    remarks: tuple[str, ...]
    obstacles: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def check(dataset: Dataset, *, threads: int | None = None, progress: Callable[[int, int], None] | None = None) -> Report:
    """Read every picture with the decoder that training uses, and count.

    Args:
        dataset: what to look at.
        threads: how many read and decode; None for as many as suit the machine.
        progress: told how many pictures are done, of how many.
    """
    found = survey(dataset, threads=threads, progress=progress)
    places = [dataset.given_split(index) or POOL for index in range(len(dataset))]
    usable = (found.sizes[:, 0] > 0).nonzero().flatten().tolist()
    groups = _groups(found.digests)
    classes = dataset.class_indices()
    contradicting = [group for group in groups if classes is not None and len({int(classes[i]) for i in group}) > 1]
    leaking = [group for group in groups if len({places[i] for i in group}) > 1]
    counted = Counter(places)
    splits, obstacles = _rehearse(dataset, found)
    pictures_of, pixels_of = _class_counts(dataset, places, usable)
    return Report(
        dataset=dataset.name,
        task=dataset.task,
        root=str(dataset.root or ""),
        licence=dataset.licence,
        fingerprint=dataset.fingerprint(),
        class_names=dataset.class_names,
        pictures={place: counted[place] for place in (*SPLITS, POOL) if place in counted},
        classes=pictures_of,
        pixels=pixels_of,
        heights=_spread(found.sizes[usable, 0]),
        widths=_spread(found.sizes[usable, 1]),
        grey=int((found.channels == 1).sum()),
        colour=int((found.channels == 3).sum()),
        faults=tuple(found.faults),
        notes=tuple(found.notes),
        duplicates=_named(dataset, groups),
        contradictions=_named(dataset, contradicting),
        leaks=_named(dataset, leaking),
        splits={split: len(splits.of(split)) for split in SPLITS} if splits is not None else {},
        remarks=(*dataset.notes, *(splits.notes if splits is not None else ())),
        obstacles=obstacles,
    )


def _groups(digests: Sequence[bytes]) -> list[list[int]]:
    by_digest: dict[bytes, list[int]] = {}
    for index, digest in enumerate(digests):
        if digest:
            by_digest.setdefault(digest, []).append(index)
    return [group for group in by_digest.values() if len(group) > 1]


def _named(dataset: Dataset, groups: list[list[int]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(dataset.where(index) for index in group) for group in groups)


Counts = dict[str, dict[str, int]]


def _class_counts(dataset: Dataset, places: Sequence[str], usable: Sequence[int]) -> tuple[Counts, Counts]:
    """For each place and class the pictures (of detection the boxes), and of a segmentation the pixels."""
    if not dataset.class_names:
        return {}, {}
    labels = dataset.class_indices()
    counts: dict[str, Counter[int]] = {place: Counter() for place in (*SPLITS, POOL) if place in set(places)}
    pixels: dict[str, Counter[int]] = {place: Counter() for place in counts}
    for index in usable:
        target = None if labels is not None else dataset.target(index)
        counts[places[index]].update((int(labels[index]),) if labels is not None else _classes_of(target))
        if isinstance(target, Mask):
            pixels[places[index]].update(_pixels_of(target))
    names = dict(enumerate(dataset.class_names))
    return (
        {place: {name: count[i] for i, name in names.items()} for place, count in counts.items()},
        {place: {name: count[i] for i, name in {**names, VOID: "void"}.items()} for place, count in pixels.items() if count},
    )


def _classes_of(target: Target | None) -> list[int]:
    """The classes to count for one picture."""
    if isinstance(target, Boxes):
        return [int(index) for index in target.classes]
    return [index for index in _pixels_of(target) if index != VOID] if isinstance(target, Mask) else []


def _pixels_of(mask: Mask) -> dict[int, int]:
    """How many pixels each class that occurs has, and void."""
    classes, counts = mask.classes.flatten().to(torch.int64).unique(return_counts=True)
    found = zip(classes.tolist(), counts.tolist(), strict=True)
    return {VOID if index == mask.void else index: count for index, count in found}


def _spread(lengths: Int64[Tensor, "n"]) -> Spread | None:
    if not len(lengths):
        return None
    return Spread(int(lengths.min()), int(lengths.median()), int(lengths.max()))


def _rehearse(dataset: Dataset, found: Survey) -> tuple[Splits | None, tuple[str, ...]]:
    """What a training would begin with, or what stops it."""
    obstacles: list[DataError] = []
    splits = None
    try:
        judge(dataset, found.faults)
    except DataError as error:
        obstacles.append(error)
    try:
        splits = make_splits(dataset, found.digests, found.faults, seed=0)
    except DataError as error:
        obstacles.append(error)
    return None if obstacles else splits, tuple(f"expected {error.expected}, found {error.found}" for error in obstacles)
