"""Networks that answer together, each seeing a picture one or several times: what an ensemble and test-time augmentation share.

The answer is the mean of all, as the task takes it: of class probabilities, or of restored pictures.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch, Fit
from neocog.engine.tiles import Region
from neocog.errors import UsageError
from neocog.evaluation.answers import compute, taken_at_once, window
from neocog.evaluation.cost import Stopwatch
from neocog.evaluation.crf import refined, require_probabilities
from neocog.evaluation.reading import Reading, reading_of
from neocog.evaluation.tiled import told_by_tiles
from neocog.evaluation.views import Seen, canvas_of, chosen, orientations, require_whole, see, see_whole
from neocog.images import Picture, Size
from neocog.layers import DenseCrfOptions
from neocog.models.class_names import match_class_names
from neocog.run import Trained
from neocog.tasks import Averages

__all__ = ["Asked", "Ensemble", "Member", "ask", "assemble"]

MOST_NAMES_SHOWN = 6


@dataclass(frozen=True)
class Member:
    """One network of an ensemble.

    Attributes:
        trained: the network.
        reading: how pictures are read for it.
        outputs: for each class of the ensemble the network's output that stands for it; None when they are the same.
    """

    trained: Trained
    reading: Reading
    outputs: Int64[Tensor, "k"] | None = None

    @property
    def name(self) -> str:
        """The run's folder, or the architecture of a network that was made on the spot."""
        return _name(self.trained)


@dataclass(frozen=True)
class Ensemble:
    """One network or several, and how often each sees a picture. The classes are the first one's.

    Attributes:
        members: the first is the one that was asked, the others beside it.
        views: names of `VIEWS`; empty where every picture is seen once.
        crf: of the field that sharpens a segmentation's answers; None for none.
    """

    members: tuple[Member, ...]
    views: tuple[str, ...] = ()
    crf: DenseCrfOptions | None = None

    @property
    def first(self) -> Trained:
        """The network whose task and classes are the ensemble's."""
        return self.members[0].trained

    @property
    def averages(self) -> bool:
        """Whether an answer is a mean of several."""
        return len(self.members) > 1 or bool(self.views)

    @property
    def pictures_at_once(self) -> int:
        """How many pictures pass through every network together."""
        most = min(taken_at_once(member.trained.task, member.trained.preprocess.size) for member in self.members)
        return most if self.crf is None else 1

    def refined(self, outputs: Tensor, batch: Batch, picture_of: Callable[[int], Picture]) -> tuple[Tensor, Batch]:
        """Answers through the field; without one as they are. See `neocog.evaluation.crf.refined`."""
        if self.crf is None:
            return outputs, batch
        return refined(require_probabilities(self.first.task, self.first.task_name), self.crf, outputs, batch, picture_of)

    def average(self, outputs: Sequence[Tensor]) -> Tensor:
        """One answer out of the members'; a single one stays as it is."""
        return _mean(self.first, [output.to(self.first.plan.device) for output in outputs])

    def by_tiles(self, pixels: Shaped[Tensor, "b c h w"], watches: Sequence[Stopwatch]) -> Iterator[tuple[Region, Tensor]]:
        """The answer about pictures in their own pixels, tile by tile; see `told_by_tiles`.

        Args:
            pixels: with the channels of all members.
            watches: of the members.

        Yields:
            each region of the pictures, and the answer for it, as float32 on the first network's device.
        """
        networks = [member.trained for member in self.members]
        for region, told in told_by_tiles(networks, orientations(self.views), pixels, watches):
            means = (_reordered(_mean(member.trained, answers), member.outputs) for member, answers in zip(self.members, told, strict=True))
            yield region, self.average(list(means))


class Asked(NamedTuple):
    """One network's answer about a batch.

    Attributes:
        outputs: the mean over the views, in the ensemble's classes, float32, on the network's device.
        first_view: those of the first view alone, in the same form.
        batch: the first view, in the network's coordinates.
    """

    outputs: Tensor
    first_view: Tensor
    batch: Batch


def assemble(networks: Sequence[Trained], views: Sequence[str] = (), crf: DenseCrfOptions | None = None) -> Ensemble:
    """Networks that are to answer together; they may differ in architecture, images and order of the classes.

    Args:
        networks: the first gives the task and the order of the classes.
        views: names of `VIEWS`.
        crf: of the field that sharpens a segmentation's answers; None for none.

    Raises:
        UsageError: an unknown view; networks of several tasks, or with different classes, which are named; or a task
            whose answers have no mean; of networks that answer for every pixel some at another scale, or with other channels.
    """
    first, *others = networks
    chosen(views)
    for other in others:
        if other.task_name != first.task_name:
            found = f"{_name(first)} to {first.task_name} and {_name(other)} to {other.task_name}"
            raise UsageError("networks of one task", found, "leave the others away")
    if others or views:
        _averaging(first)
    if first.task.fit(training=False) != "cover":
        require_whole(views)
        _require_alike(networks, "at one scale", _scale_of)
    if first.task_name == "denoise":
        _require_alike(networks, "with the same channels", lambda network: f"with {network.preprocess.channels}")
    if crf is not None:
        require_probabilities(first.task, first.task_name)
    members = tuple(
        Member(network, reading_of(network.preprocess, first.task, canvas_of(views, network.preprocess)), _matched(first, network))
        for network in networks
    )
    return Ensemble(members, tuple(sorted(set(views))), crf)


def ask(member: Member, batch: Batch, views: Sequence[str], watch: Stopwatch) -> Asked:
    """Show a network a batch, once or in several views.

    Args:
        member: which network.
        batch: pictures as they were read for it.
        views: names of `VIEWS`.
        watch: goes on by the seconds that it takes.
    """
    model, plan, task = member.trained.model.eval(), member.trained.plan, member.trained.task
    fit, size = window(task.fit(training=False)), member.trained.preprocess.size
    native = fit == "native"
    if native and views:
        return _ask_by_tiles(member, batch, views, watch)
    if not watch.warm:
        compute(model, plan, next(_seen(batch, views, fit, size)).batch.to(plan.device), native=native)
        watch.warm = True
    outputs: list[Tensor] = []
    laps: list[float] = []
    first = batch
    started = time.perf_counter()
    for seen in _seen(batch, views, fit, size):
        shown = seen.batch.to(plan.device)
        outputs.append(seen.moved_back(compute(model, plan, shown, native=native)))
        outputs[-1][:1].cpu()  # an accelerator has then done all that it was asked before
        first = first if laps else shown
        laps.append(time.perf_counter() - started)
    watch.views, watch.single, watch.whole = len(laps), watch.single + laps[0], watch.whole + laps[-1]
    mean = _mean(member.trained, outputs)
    return Asked(_reordered(mean, member.outputs), _reordered(outputs[0], member.outputs), first)


def _ask_by_tiles(member: Member, batch: Batch, views: Sequence[str], watch: Stopwatch) -> Asked:
    """Of pictures in their own pixels nothing is kept but the mean over the views and the first of them."""
    device, size = member.trained.plan.device, batch.pixels.shape[2:]
    kept: list[Tensor] = []
    for region, (answers,) in told_by_tiles([member.trained], orientations(views), batch.pixels, [watch]):
        parts = [_reordered(answer, member.outputs) for answer in (_mean(member.trained, answers), answers[0])]
        kept = kept or [part.new_empty((*part.shape[:2], *size)) for part in parts]
        for whole, part in zip(kept, parts, strict=True):
            region.of(whole).copy_(part)
    return Asked(kept[0], kept[1], batch.to(device))


def _seen(batch: Batch, views: Sequence[str], fit: Fit, size: Size) -> Iterator[Seen]:
    """The views of a batch; where answers are maps, with the way back from each."""
    if not views:
        yield Seen(place(batch, fit, size))
    elif fit == "crop":  # canvases, whose answers have no place
        yield from map(Seen, see(batch, views, size))
    else:
        yield from see_whole(batch, views, fit, size)


def _mean(network: Trained, outputs: Sequence[Tensor]) -> Tensor:
    return outputs[0] if len(outputs) == 1 else _averaging(network).average(outputs)


def _averaging(network: Trained) -> Averages:
    """The network's task.

    Raises:
        UsageError: its answers have no mean.
    """
    if not isinstance(network.task, Averages):
        expected = "a task whose answers have a mean, as classify"
        raise UsageError(expected, f"{network.task_name}, which {_name(network)} is for", "ask one network, without --tta")
    return network.task


def _require_alike(networks: Sequence[Trained], words: str, told: Callable[[Trained], str]) -> None:
    """Check that the answers of networks that answer for every pixel have a mean.

    Args:
        words: what must be one.
        told: that of a network.

    Raises:
        UsageError: it is not.
    """
    kinds = {told(network): f"{_name(network)} {told(network)}" for network in networks}
    if len(kinds) > 1:
        raise UsageError(f"networks for pictures {words}", " and ".join(kinds.values()), "leave the others away")


def _scale_of(network: Trained) -> str:
    height, width = network.preprocess.size
    return "at their own scale" if network.task.fit(training=False) == "native" else f"at {height}x{width}"


def _reordered(outputs: Tensor, columns: Tensor | None) -> Tensor:
    return outputs if columns is None else outputs[:, columns.to(outputs.device)]


def _matched(first: Trained, other: Trained) -> Int64[Tensor, "k"] | None:
    """For each class of one network the output of another, by WordNet id, else by name; None when they are the same.

    Raises:
        UsageError: their classes differ.
    """
    if first.class_names == other.class_names:
        return None
    found = match_class_names(first.class_names, first.class_ids, other.class_names, other.class_ids)
    lacking = [name for name, index in zip(first.class_names, found, strict=True) if index is None]
    besides = [name for index, name in enumerate(other.class_names) if index not in found]
    if lacking or besides:
        differences = [f"{verb} {_list(names)}" for verb, names in (("lacks", lacking), ("has besides", besides)) if names]
        found_words = f"{_name(other)}, which {' and '.join(differences)}"
        raise UsageError(f"the classes of {_name(first)}", found_words, "average networks that know the same classes")
    return torch.tensor(found, dtype=torch.int64)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES_SHOWN]) + (", …" if len(names) > MOST_NAMES_SHOWN else "")


def _name(network: Trained) -> str:
    return str(network.folder.path) if network.folder is not None else network.name
