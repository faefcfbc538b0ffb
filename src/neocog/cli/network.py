"""RUN, or in its place ``--model NAME``: which network a command asks."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from neocog.cli.command import Answer
from neocog.cli.flags import add_fields, as_flag, given_fields
from neocog.cli.parser import Parser
from neocog.errors import UsageError
from neocog.options import option

if TYPE_CHECKING:
    from neocog.api import Run

__all__ = ["add_network", "facts", "open_network"]


@dataclass(frozen=True)
class OnTheSpot:
    """What makes a network without a run."""

    model: str | None = option(None, "architecture to ask in place of RUN", flag="NAME")
    weights: str | None = option(None, "its file of weights, or the name of published ones; without it they are random", flag="FILE|NAME")
    classes: Path | None = option(None, "text file with the name of one class a line", flag="FILE")


def add_network(parser: Parser, typed: Sequence[str], words: str) -> None:
    """Add the words of the command, RUN first among them, and the flags that may stand in its place.

    Args:
        parser: of the command.
        typed: all arguments; where they name an architecture, its options become flags.
        words: what comes after RUN, as the help shows it.
    """
    parser.usage = f"{parser.prog} RUN {words} [flags]\n       {parser.prog} --model NAME [--weights FILE|NAME] {words} [flags]"
    parser.add_argument("words", nargs="*", metavar=f"RUN {words}", help="the folder of a run, and what it is asked about")
    add_fields(parser, OnTheSpot, title="a network made on the spot")
    model = getattr(parser.peek(typed), "model", None)
    if model is not None:
        from neocog.models.entry import MODELS

        known = set(parser.flags())  # what the command itself asks goes before an option of the architecture with the same name
        taken = {item.name for item in fields(MODELS[model].Options) if as_flag(item.name) in known}
        add_fields(parser, MODELS[model].Options, title=f"options of {model}", skip=taken)
        parser.set_defaults(not_of_the_model=taken)


def open_network(arguments: argparse.Namespace) -> "tuple[Run, list[str]]":
    """The network that is asked, and the words that are left.

    Raises:
        UsageError: neither a run nor an architecture, or both.
    """
    from neocog.api import open_run, pretrained
    from neocog.models.entry import MODELS
    from neocog.run.folder import RECIPE

    given, words = given_fields(arguments, OnTheSpot), arguments.words
    if "model" not in given:
        if given:
            raise UsageError(
                "--model beside " + " and ".join(map(as_flag, given)), "none", "name the architecture, as --model mobilenet_v2"
            )
        if not words:
            raise UsageError("the folder of a run, or --model", "neither", "give the folder that neocog train named at its end")
        return open_run(words[0]), words[1:]
    if words and (Path(words[0]) / RECIPE).is_file():
        raise UsageError("a run or --model", f"both, {words[0]} and {given['model']}", "leave one of them away")
    found = given_fields(arguments, MODELS[given["model"]].Options)
    options = {name: value for name, value in found.items() if name not in arguments.not_of_the_model}
    run = pretrained(given["model"], weights=given.get("weights"), classes=given.get("classes"), **options)
    for note in run.trained.notes:
        print(f"note: {note}", file=sys.stderr)
    return run, words


def facts(run: "Run") -> Answer:
    """What JSON says of a network: its run and training; without them where it was made on the spot."""
    from neocog.training.train import Result

    if run.result is not None:
        return run.result.to_dict()
    none = {item.name: None for item in fields(Result) if item.name != "profile"}
    return {**none, "task": run.trained.task_name, "model": run.trained.name, "plan": run.trained.plan.to_dict(), "metrics": {}}
