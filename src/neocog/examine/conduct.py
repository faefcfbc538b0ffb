"""One question to a network, asked by as many methods as are wanted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from neocog.errors import UsageError
from neocog.examine.attributing import attribute
from neocog.examine.member import EXAMINATIONS, Asked, Findings, Request
from neocog.examine.question import Question, choose, options_for
from neocog.options import options_of
from neocog.progress import Progress
from neocog.registry import closest
from neocog.run import Trained

__all__ = ["TOGETHER", "conduct", "parted"]

TOGETHER = "attributions"
"""Under this name stands what several methods of attribution found, beside one another."""


def parted(choices: Mapping[str, Any]) -> tuple[Question, dict[str, Any]]:
    """The question, and the choices that are left for the methods.

    Raises:
        RecipeError: a value that the question does not admit.
    """
    known = {field.name for field in fields(Question)}
    question = options_of(Question, {name: value for name, value in choices.items() if name in known}, "explain")
    return question, {name: value for name, value in choices.items() if name not in known}


def conduct(
    trained: Trained,
    pictures: Sequence[Path],
    methods: Sequence[str],
    question: Question,
    choices: Mapping[str, Any],
    open_data: Callable[[], Asked],
    progress: Progress,
) -> dict[str, Findings]:
    """Ask, and gather what was found by the name of the method.

    Args:
        trained: the network.
        pictures: files or folders of them; () for some of the data.
        methods: names; see `choose`.
        question: what else is asked.
        choices: fields of the methods' Options.
        open_data: reads the dataset that was named, or the run's own.
        progress: told of every batch.

    Raises:
        UsageError: as `choose` and `options_for`, no such class, or what a method itself raises.
        DataError: the data or the pictures cannot be used.
    """
    names = choose(trained, methods, question)
    options = options_for(names, choices)
    request = Request(
        trained,
        None,
        cache(open_data),
        progress,
        tuple(pictures),
        layer=question.layer,
        about=None if question.about is None else _class(trained, question.about),
        **{field: getattr(question, field) for field in ("over_epochs", "arrays", "checked", "cascade", "seed")},
    )
    found: dict[str, Findings] = {}
    together = [name for name in names if EXAMINATIONS[name].attributes]
    if len(together) > 1:
        found[TOGETHER] = attribute(request, {name: options[name] for name in together})
    for name in names:
        if name not in together or len(together) == 1:
            found[name] = EXAMINATIONS[name].run(replace(request, options=options[name]))
    return found


def _class(trained: Trained, name: str) -> int:
    """The index of a class by its name."""
    if name not in trained.class_names:
        remedy = closest(name, trained.class_names) if trained.class_names else "ask about the answer"
        raise UsageError(f"a class of {trained.name}", repr(name), remedy)
    return trained.class_names.index(name)
