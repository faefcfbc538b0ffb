"""Attacks on the pictures of a dataset: accuracy against epsilon, sheets, transfer to a second network, and checks of the attacks.

Attacks act on what the network sees: images of its input size in [0, 1]. Pictures pass batch by batch; of each batch only
counts, distances and a few examples stay.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.attack import ATTACKS, Attack, Norm
from neocog.attack.ascent import judge
from neocog.batch import Batch
from neocog.engine import obeying
from neocog.errors import DataError, UsageError
from neocog.examine.attack_report import Report, kept, report
from neocog.examine.member import Asked, Findings
from neocog.examine.onslaught import Onslaught, Tally, measure
from neocog.examine.sanity import REFERENCE, examine_attacks
from neocog.examine.stress import STRESSES, Stress, StressRequest
from neocog.examine.templates import template_sheet
from neocog.examine.victims import Case, Victims, weights_at_rest
from neocog.models.class_names import match_class_names
from neocog.objective import Objective
from neocog.random import generator
from neocog.run import Trained
from neocog.targets import Labels

__all__ = ["EPSILONS", "attack_pictures"]

EPSILONS: dict[Norm, tuple[float, ...]] = {
    "linf": tuple(levels / 255 for levels in (1, 2, 4, 8, 16)),
    "l2": (0.1, 0.25, 0.5, 1.0, 2.0),
}
"""Radii unless others are asked for."""

GUESSED_STEPS = 10  # of a method that does not say how many


def attack_pictures(request: StressRequest) -> Findings:
    """Attack by every method that is asked for.

    Raises:
        UsageError: a method that does not know the norm, cannot aim at a class, or does not go with the task or the network;
            or a second network that does not go with the first.
        DataError: the network is wrong about every picture before any attack.
    """
    onslaughts = [_prepared(request, name, options) for name, options in request.methods.items()]
    references = _references(request, onslaughts)
    second = None if request.transfer_to is None else _Second(request.trained, request.transfer_to)
    asked = request.open_data()
    victims = Victims(request, asked, _passes(onslaughts))
    clean, first = Tally(0.0), None
    request.progress.start(f"attacking {asked.split} with {', '.join(request.methods)}", len(victims.rows))
    with obeying(request.trained.plan), weights_at_rest(request.trained.model):
        for case in victims:
            _attack_case(request, case, onslaughts, references, clean, second)
            first = case if first is None and len(case.victims) else first
            request.progress.advance(len(case.keys))
        _require_victims(request, clean, first)
        checks = examine_attacks(onslaughts, references, clean, first)
    request.progress.done()
    made = Report(request, asked, onslaughts, clean, checks, victims.plan, _notes(request, victims, asked))
    files = [] if request.keep is None else kept(made, request.keep)
    found = report(made, files)
    if "linear" in request.methods:
        found = dataclasses.replace(found, sheets=[*found.sheets, template_sheet(request.trained)])
    return found


class _Second:
    """A second network that is shown what the first was attacked with.

    Args:
        first: whose classes and input size the pictures have.
        trained: the second.

    Raises:
        UsageError: another task, other channels, or classes that it does not know.
    """

    def __init__(self, first: Trained, trained: Trained) -> None:
        self._trained = trained
        if trained.task_name != first.task_name or first.task_name != "classify":
            found = f"networks for {first.task_name} and {trained.task_name}"
            raise UsageError("two networks that classify, to transfer attacks between", found, "leave --transfer-to away")
        if trained.preprocess.channels != first.preprocess.channels:
            expected = f"a second network for images with {first.preprocess.channels} channels"
            raise UsageError(expected, str(trained.preprocess.channels), "transfer to a network that sees as many")
        indices = match_class_names(first.class_names, first.class_ids, trained.class_names, trained.class_ids)
        unknown = [name for name, index in zip(first.class_names, indices, strict=True) if index is None]
        if unknown:
            expected = f"a second network that knows the classes of {first.name}"
            raise UsageError(
                expected, f"{trained.name}, which lacks {', '.join(unknown[:6])}", "transfer between networks of the same data"
            )
        self._classes = torch.tensor(indices, dtype=torch.int64, device=trained.plan.device)

    def objective(self, case: Case) -> Objective:
        """About the true answers of a case."""
        trained, count = self._trained, len(case.images)
        if case.labels is None:
            raise TypeError("transfer needs labels")
        labels = self._classes[case.labels.to(self._classes.device)]
        sizes = torch.tensor([case.images.shape[-2:]] * count)
        targets = Labels(labels, labels, torch.ones(count))
        batch = Batch(case.images.to(labels.device), targets, case.keys, sizes, torch.eye(3).repeat(count, 1, 1))
        return _Resized(trained.task.objective(trained.model.eval(), batch), trained.preprocess.size)


class _Resized:
    """An objective of a network with another input size. Only what tells right from wrong is asked of it."""

    def __init__(self, objective: Objective, size: tuple[int, int]) -> None:
        self._objective, self._size = objective, size

    def scores(self, images: Float[Tensor, "b c h w"]) -> Tensor:
        """See Objective."""
        return self._objective.scores(self._fitted(images))

    def score(self, images: Float[Tensor, "b c h w"]) -> Tensor:
        """See Objective."""
        return self._objective.score(self._fitted(images))

    def loss(self, images: Float[Tensor, "b c h w"]) -> Tensor:
        """See Objective."""
        return self._objective.loss(self._fitted(images))

    def fooled(self, images: Float[Tensor, "b c h w"]) -> Tensor:
        """See Objective."""
        return self._objective.fooled(self._fitted(images))

    def select(self, rows: Int64[Tensor, "n"]) -> Objective:
        """See Objective."""
        return _Resized(self._objective.select(rows), self._size)

    def _fitted(self, images: Tensor) -> Tensor:
        if images.shape[-2:] == self._size:
            return images
        return functional.interpolate(images, size=self._size, mode="bilinear", antialias=True).clamp(0, 1)


class _Before(NamedTuple):
    """The second network on a case: the question, and whether it is right before the attack."""

    objective: Objective
    right: Tensor


def _attack_case(
    request: StressRequest,
    case: Case,
    onslaughts: Sequence[Onslaught],
    references: Sequence[Onslaught],
    clean: Tally,
    second: _Second | None,
) -> None:
    before = None if second is None else _before(second, case)
    clean.pictures += len(case.keys)
    clean.right += int((~case.wrong).sum())
    clean.fooled += len(case.keys) - len(case.victims)
    clean.right_elsewhere += 0 if before is None else int(before.right.sum())
    if request.arrays:
        clean.rows.append(case.wrong.cpu())
    for one in (*onslaughts, *references):
        if not len(case.victims):
            _count_without(one, case, before, keep=request.arrays)
        elif one.member.bounded:
            for tally in one.tallies:
                _count(one, [tally], case, _attacked(request, one, case, tally.epsilon), before, keep=request.arrays)
        else:
            _count(one, one.tallies, case, _attacked(request, one, case), before, keep=request.arrays)


def _before(second: _Second, case: Case) -> _Before:
    objective = second.objective(case)
    return _Before(objective, ~judge(objective, case.images))


def _attacked(request: StressRequest, one: Onslaught, case: Case, epsilon: float | None = None) -> Float[Tensor, "v c h w"]:
    """The victims after the attack."""
    objective = case.fast if one.member.bounded else case.aimed  # the least distance is measured on the network itself
    draws = generator(request.seed, f"attack {one.method}", 0, int(case.keys[0]), device=request.trained.plan.device)
    images = case.images[case.victims]
    found: Tensor = one.member.attack(objective.select(case.victims), images, one.told(epsilon), generator=draws)
    return found.detach()


def _count(one: Onslaught, tallies: Sequence[Tally], case: Case, images: Tensor, before: _Before | None, *, keep: bool) -> None:
    outcome = measure(case, images, one.norm, None if before is None else before.objective)
    for tally in tallies:
        within = torch.ones_like(outcome.fooled) if one.member.bounded else outcome.distance <= tally.epsilon
        tally.add(case, outcome, within, None if before is None else before.right)
        if keep:
            tally.keep(case, outcome, within)
    if not one.member.bounded:
        one.distances += outcome.distance[outcome.fooled].tolist()
        one.lost += int((~outcome.fooled).sum())


def _count_without(one: Onslaught, case: Case, before: _Before | None, *, keep: bool) -> None:
    """A case in which nothing is left to attack."""
    for tally in one.tallies:
        tally.pictures += len(case.keys)
        tally.fooled += len(case.keys)
        tally.fooled_as_file += len(case.keys)
        tally.right_elsewhere += 0 if before is None else int(before.right.sum())
        if keep:
            tally.rows.append(case.wrong.cpu())


def _prepared(request: StressRequest, name: str, options: Any) -> Onslaught:
    member = ATTACKS[name]
    if not isinstance(member, Attack):
        raise TypeError(f"{name} is not an attack on pictures")
    norm = request.norm or member.norms[0]
    if norm not in member.norms:
        able = [other for other in ATTACKS if norm in getattr(ATTACKS[other], "norms", ())]
        raise UsageError(
            f"a method that knows the norm {norm}", f"{name}, which knows {' and '.join(member.norms)}", f"choose one of {', '.join(able)}"
        )
    if request.targeted is not None and not member.targeted:
        able = [other for other in ATTACKS if getattr(ATTACKS[other], "targeted", False) is True]
        raise UsageError("a method that can aim at a class", name, f"leave --targeted away, or choose one of {', '.join(able)}")
    if member.one_class and request.trained.task_name != "classify":
        able = [other for other in ATTACKS if not getattr(ATTACKS[other], "one_class", True)]
        found = f"one for the task {request.trained.task_name}"
        raise UsageError(f"a network that gives a picture one class, for {name}", found, f"choose one of {', '.join(able)}")
    return Onslaught(name, member, options, norm, [Tally(epsilon) for epsilon in request.epsilons or EPSILONS[norm]])


def _references(request: StressRequest, onslaughts: Sequence[Onslaught]) -> list[Onslaught]:
    """One step along the gradient, beside the attacks that must do better."""
    stronger = {one.norm for one in onslaughts if one.member.bounded and one.member.gradient and one.method != REFERENCE}
    there = {one.norm for one in onslaughts if one.method == REFERENCE}
    member = ATTACKS[REFERENCE]
    return [_prepared(dataclasses.replace(request, norm=norm), REFERENCE, member.Options()) for norm in sorted(stronger - there)]


def _passes(onslaughts: Sequence[Onslaught]) -> int:
    """How often a picture goes through the network for a gradient by the plan, about."""
    bounded = [one for one in onslaughts if one.member.bounded and one.member.gradient]
    return sum(len(one.tallies) * (getattr(one.options, "steps", 1) or GUESSED_STEPS) for one in bounded)


def _require_victims(request: StressRequest, clean: Tally, first: Case | None) -> None:
    if first is None and request.targeted is not None:
        name = request.trained.class_names[request.targeted]
        raise DataError(
            "a picture that the network does not take for the class aimed at",
            f"{clean.pictures:,}, all taken for {name}",
            "aim at another class",
        )
    if first is None:
        remedy = "attack a network that knows these pictures; neocog evaluate tells how well"
        raise DataError("a picture about which the network is right", f"{clean.pictures:,}, all misnamed before any attack", remedy)


def _notes(request: StressRequest, victims: Victims, asked: Asked) -> list[str]:
    """What a person should know before believing the numbers."""
    trained, dataset = request.trained, asked.material.dataset
    notes = list(dataset.notes) if dataset.name == "pictures" else []
    asked_for = len(asked.rows) - victims.left_out
    if len(victims.rows) < asked_for:
        notes.append(f"{len(victims.rows):,} of {asked_for:,} pictures, drawn at random; --pictures takes more")
    if victims.left_out:
        notes.append(f"{victims.left_out:,} pictures of {trained.class_names[request.targeted or 0]} are left out: it is aimed at")
    if dataset.class_names and len(dataset.class_names) < len(trained.class_names):
        notes.append(f"the data have {len(dataset.class_names)} of the network's {len(trained.class_names):,} classes")
    if request.transfer_to is not None and request.transfer_to.preprocess.size != trained.preprocess.size:
        height, width = request.transfer_to.preprocess.size
        notes.append(f"for {request.transfer_to.name} the attacked pictures are resized to {height}x{width}")
    if trained.task_name != "classify":
        notes.append("accuracy is the share of the pictures that are not fooled, as the task defines it")
    return notes


STRESSES.add("attack", Stress(attack_pictures, takes_epsilons=True, takes_class=True))
