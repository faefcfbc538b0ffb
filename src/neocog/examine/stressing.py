"""One question to a network, put by methods of one kind: from names and choices to what the kind's driver found and where it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from neocog.attack import ATTACKS
from neocog.errors import RecipeError, UsageError
from neocog.examine.attacked_files import are_pictures, asked_of_files
from neocog.examine.member import Asked, Explanation
from neocog.examine.saving import require_place, save_findings
from neocog.examine.stress import STRESSES, Stress, StressQuestion, StressRequest
from neocog.models.class_names import match_class_names
from neocog.options import options_of
from neocog.progress import Progress
from neocog.registry import closest
from neocog.run import Trained

__all__ = ["ATTACK", "PICTURES", "stress"]

ATTACK = "attack"
"""Folder of a run that is written into, and the kind of its record."""

PICTURES = "pictures"
"""Folder in that one for attacked pictures."""

OpenData = Callable[[Path | None, str | None], Asked]


def stress(  # noqa: PLR0913 - the network, the question in its parts, and where the answer goes
    trained: Trained,
    data: Sequence[Path],
    methods: Sequence[str],
    choices: Mapping[str, Any],
    open_data: OpenData,
    progress: Progress,
    *,
    transfer_to: Trained | None = None,
    folder: Path | None = None,
    html: bool = False,
) -> Explanation:
    """Attack by the driver of the methods' kind, and write what was found.

    Args:
        trained: the network.
        data: one dataset, or picture files; () for the network's own data.
        methods: names in `ATTACKS`, all of one kind.
        choices: fields of `StressQuestion`, and of the methods' Options; each goes to every method that has it.
        open_data: reads a dataset, or the network's own, and chooses a split.
        progress: told of every batch.
        transfer_to: a second network.
        folder: to write to; None for nowhere.
        html: whether to write one page with everything too.

    Raises:
        UsageError: methods of several kinds, a choice that they have no use for, no data, a class that the network does not
            know, or a folder with other work; and what the driver raises.
        DataError: as the driver.
        SurroundingsError: the folder cannot be written to.
    """
    kind = _kind(methods)
    question, options = _parted(methods, choices)
    _refuse_useless(STRESSES[kind], methods, question, named=bool(data), transfers=transfer_to is not None)
    if folder is not None:
        _require(folder)
    request = StressRequest(
        trained,
        options,
        cache(lambda: _opened(trained, data, question.split, open_data, progress)),
        progress,
        epsilons=tuple(sorted({epsilon for epsilon in question.epsilon if epsilon})),
        targeted=None if question.targeted is None else _class(trained, question.targeted),
        transfer_to=transfer_to,
        keep=None if folder is None else folder / PICTURES,
        **{name: getattr(question, name) for name in ("norm", "pictures", "speed", "arrays", "seed")},
    )
    found = {kind: STRESSES[kind].run(request)}
    if folder is None:
        return Explanation(found)
    title = f"{trained.name} under attack: {', '.join(methods)}"
    return Explanation(found, save_findings(folder, found, kind=ATTACK, title=title, html=html))


def _kind(methods: Sequence[str]) -> str:
    """The one kind of some methods.

    Raises:
        UsageError: there are several.
    """
    kinds = {ATTACKS[name].kind: name for name in methods}
    if len(kinds) != 1:
        found = " and ".join(f"{name} ({kind})" for kind, name in kinds.items()) or "none"
        raise UsageError("methods of one kind", found, "ask for one kind after the other")
    return next(iter(kinds))


def _parted(methods: Sequence[str], choices: Mapping[str, Any]) -> tuple[StressQuestion, dict[str, Any]]:
    """The question, and for each method an instance of its Options.

    Raises:
        RecipeError: a choice that nobody has, or a value that is not admitted.
    """
    general = {item.name for item in fields(StressQuestion)}
    question = options_of(StressQuestion, {name: value for name, value in choices.items() if name in general}, "attack")
    known = {name: {item.name for item in fields(ATTACKS[name].Options)} - general for name in methods}
    own = {choice: value for choice, value in choices.items() if choice not in general}
    every = sorted(set().union(*known.values()))
    for choice in own:
        if choice not in every:
            remedy = closest(choice, every) if every else "leave it out: there are none"
            raise RecipeError(f"an option of {' or '.join(methods)}", repr(choice), remedy)
    tables = {name: {choice: value for choice, value in own.items() if choice in known[name]} for name in methods}
    return question, {name: options_of(ATTACKS[name].Options, tables[name], name) for name in methods}


def _refuse_useless(driver: Stress, methods: Sequence[str], question: StressQuestion, *, named: bool, transfers: bool) -> None:
    given = {
        "--epsilon": bool(question.epsilon) and not driver.takes_epsilons,
        "--norm": question.norm is not None and not driver.takes_epsilons,
        "--transfer-to": transfers and not driver.takes_epsilons,
        "--targeted": question.targeted is not None and not driver.takes_class,
        "data": named and not driver.takes_data,
    }
    for what, useless in given.items():
        if useless:
            raise UsageError(f"a method that has a use for {what}", ", ".join(methods), f"leave {what} away")


def _opened(trained: Trained, data: Sequence[Path], split: str | None, open_data: OpenData, progress: Progress) -> Asked:
    if are_pictures(data):
        return asked_of_files(trained, data, progress)
    if len(data) > 1:
        found = ", ".join(map(str, data))
        raise UsageError("one dataset, or picture files", found, "attack one after the other, named before flags with several values")
    return open_data(data[0] if data else None, split)


def _class(trained: Trained, name: str) -> int:
    """The index of a class by its name, or its WordNet identifier."""
    (index,) = match_class_names([name], [], trained.class_names, trained.class_ids)
    if index is None:
        remedy = closest(name, trained.class_names) if trained.class_names else "leave --targeted away"
        raise UsageError(f"a class of {trained.name}, to aim at", repr(name), remedy)
    return index


def _require(folder: Path) -> None:
    """Check that the folder holds nobody else's work.

    Raises:
        UsageError: it does.
    """
    require_place(folder, ATTACK, [])
    if (folder / PICTURES).exists() and not (folder / f"{ATTACK}.json").exists():
        expected, remedy = f"a folder that holds no other work than neocog {ATTACK}'s", "choose another place with --save"
        raise UsageError(expected, f"{folder / PICTURES}, which neocog {ATTACK} did not write", remedy)
