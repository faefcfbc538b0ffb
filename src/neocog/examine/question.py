"""What a person asks beside the method: the single source of the flags of `neocog explain` and of what `Run.explain` takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from neocog.errors import RecipeError, UsageError
from neocog.examine.layers import last_map
from neocog.examine.member import EXAMINATIONS
from neocog.models.network import Learner
from neocog.options import check, option, options_of
from neocog.registry import closest
from neocog.run import Trained

__all__ = ["ALL", "Question", "choose", "options_for"]

ALL = "all"
"""Stands for all methods of attribution that the network admits."""

FIRST, OTHERWISE = "grad_cam", "occlusion"
"""What is asked unless a method is named, and where the network does not admit that."""


@dataclass(frozen=True)
class Question:
    """What can be asked of every method; those that it has no meaning for pay no attention to it."""

    layer: str | None = option(None, "the stage, or the dotted name of the module, to look at; by itself the method chooses", flag="NAME")
    about: str | None = option(None, "ask about this class, in place of the network's decision", flag=False)  # the flag is --class
    data: str | None = option(None, "name or path of a dataset to take pictures from; the run's own by itself", flag="DATA")
    split: str | None = option(None, "train, val or test of it; test, else val, else all pictures by itself", flag="NAME")
    over_epochs: bool = option(False, "show how it came about over the epochs that the run kept")
    arrays: bool = option(False, "write the numbers behind the sheets too, as npz")
    checked: int = option(8, "most pictures that a method of attribution is checked on; 0 leaves the checks away", low=0)
    cascade: int = option(1, "at how many points maps are compared while the weights are randomised layer by layer; 1: all at once", low=1)
    seed: int = option(0, "of all draws", low=0)

    def __post_init__(self) -> None:
        check(self)


def choose(trained: Trained, names: Sequence[str], question: Question) -> list[str]:
    """The methods of these names that the network admits, each once, in alphabetical order.

    Args:
        trained: the network.
        names: "all" among them stands for all methods of attribution that it admits; () for one that suits it.
        question: what else is asked.

    Raises:
        UsageError: an unknown name, or a method that has no meaning for the task, needs gradients that are not there, or
            has nothing to do with what is asked; the message says which have.
    """
    if not names:
        names = (FIRST if not _objection(trained, FIRST, question) else OTHERWISE,)
    admitted = [name for name in EXAMINATIONS if not _objection(trained, name, question)]
    chosen = dict.fromkeys(name for name in names if name != ALL)
    if ALL in names:
        attributing = [name for name in admitted if EXAMINATIONS[name].attributes]
        if not attributing:
            raise UsageError(f"a method of attribution for {trained.name}", "none", _choice(admitted))
        chosen.update(dict.fromkeys(attributing))
    for name in chosen:
        if objection := _objection(trained, name, question):
            raise UsageError(*objection, _choice(admitted))
    return sorted(chosen)


def options_for(names: Sequence[str], choices: Mapping[str, Any]) -> dict[str, Any]:
    """For each method an instance of its Options; a choice goes to every method that has such a field.

    Raises:
        RecipeError: a choice that no method has, or a value that one does not admit.
    """
    known = {name: {field.name for field in fields(EXAMINATIONS[name].Options)} for name in names}
    for choice in choices:
        if not any(choice in own for own in known.values()):
            every = sorted(set().union(*known.values()))
            remedy = closest(choice, every) if every else "leave it out: there are none"
            raise RecipeError(f"an option of {' or '.join(names)}", repr(choice), remedy)
    return {
        name: options_of(EXAMINATIONS[name].Options, {choice: value for choice, value in choices.items() if choice in known[name]}, name)
        for name in names
    }


def _objection(trained: Trained, name: str, question: Question) -> tuple[str, str] | None:
    """What speaks against a method, as what is expected and what is found."""
    method = EXAMINATIONS[name]
    if trained.task_name not in method.tasks:
        return f"a method for the task {trained.task_name}", f"{name}, which is for {' and '.join(method.tasks)}"
    if method.gradient and isinstance(trained.model, Learner):
        return f"a network that learns by gradient, for {name}", f"{trained.name}, which does not"
    if method.stages and not len(trained.model.stages):
        return f"a network with stages, for {name}", f"{trained.name}, which has none"
    if method.attributes and method.layered and question.layer is None:
        try:
            last_map(trained, name)
        except UsageError as error:
            return error.expected, error.found
    if question.over_epochs and not method.over_epochs:
        return "a method that can show the kept epochs", name
    return None


def _choice(admitted: Sequence[str]) -> str:
    return f"these have a meaning here: {', '.join(admitted)}" if admitted else "ask another network"
