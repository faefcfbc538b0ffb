"""`neocog models`: which architectures there are."""

import argparse
from collections.abc import Sequence
from typing import Any

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.parser import Parser
from neocog.cli.tables import print_table, size_in_words
from neocog.errors import UsageError
from neocog.registry import closest


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The pattern."""
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help="part of a name, or a pattern such as 'resnet*'")


def run(arguments: argparse.Namespace) -> Answer:
    """The entries whose names match."""
    from neocog.models.entry import MODELS

    pattern = arguments.pattern
    names = MODELS.names(pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*")
    if not names:
        raise UsageError("the name of an architecture, or a pattern", repr(pattern), closest(pattern, MODELS.names()))
    return {"models": [_row(MODELS[name]) for name in names]}


def show(answer: Answer) -> None:
    """A table, one row an architecture."""
    rows = [
        [model["name"], str(model["year"]), f"{model['parameters']:,}", size_in_words(model["image_size"]), model["paper"]]
        for model in answer["models"]
    ]
    print_table(["name", "year", "parameters", "image size", "paper"], rows, right=["parameters", "image size"])


def _row(entry: Any) -> Answer:
    return {
        "name": entry.name,
        "task": entry.task,
        "year": entry.year,
        "parameters": entry.parameters,
        "image_size": list(entry.input_size),
        "num_classes": entry.classes,
        "paper": entry.paper,
        "weights": list(entry.weights),
    }


COMMANDS.add("models", Command("list the architectures", 60, add_arguments, run, show))
