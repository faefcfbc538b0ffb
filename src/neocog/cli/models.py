"""`neocog models`: which architectures there are."""

import argparse
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.parser import Parser
from neocog.cli.tables import count_in_words, print_table, room_beside, shortened, size_in_words
from neocog.errors import UsageError
from neocog.options import option
from neocog.registry import closest

AUTHOR = re.compile(r"(?:\w\.[ -]?)+ ?(\w[\w' -]*?)( et al\.)?")
"""Initials and a name, as papers are given."""
NARROWEST_PAPER = 20


@dataclass(frozen=True)
class Listing:
    """What is listed, and how."""

    task: Literal["classify", "detect", "segment", "denoise"] | None = option(None, "list only the architectures for this task")
    sort: Literal["name", "year", "params", "multiply_adds"] = option("name", "what the list is ordered by, from the least to the most")


KEYS = {"name": "name", "year": "year", "params": "parameters", "multiply_adds": "multiply_adds"}
"""What an architecture is sorted by."""


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The pattern, the task and the order."""
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help="part of a name, or a pattern such as 'resnet*'")
    add_fields(parser, Listing)


def run(arguments: argparse.Namespace) -> Answer:
    """The entries whose names match."""
    from neocog.models.entry import MODELS

    pattern = arguments.pattern
    listing = Listing(**given_fields(arguments, Listing))
    known = [name for name in MODELS.names() if listing.task is None or listing.task in MODELS[name].tasks]
    matching = MODELS.names(pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*")
    names = [name for name in matching if name in known]
    if not names:
        kind = f" for the task {listing.task}" if listing.task else ""
        raise UsageError(f"the name of an architecture{kind}, or a pattern", repr(pattern), closest(pattern, known))
    key = KEYS[listing.sort]
    return {"models": sorted((_row(MODELS[name]) for name in names), key=lambda row: (row[key], row["name"]))}


def show(answer: Answer) -> None:
    """A table, one row an architecture; papers as far as the line goes."""
    headings = ["name", "year", "parameters", "multiply-adds", "image", "task", "weights", "paper"]
    rows = [
        [
            model["name"],
            str(model["year"]),
            f"{model['parameters']:,}",
            count_in_words(model["multiply_adds"]),
            size_in_words(model["image_size"]),
            ", ".join(model["tasks"]),
            ", ".join(model["weights"]),
        ]
        for model in answer["models"]
    ]
    room = max(NARROWEST_PAPER, room_beside(headings[:-1], rows))
    rows = [[*row, shortened(_cited(model["paper"]), room)] for row, model in zip(rows, answer["models"], strict=True)]
    print_table(headings, rows, right=["parameters", "multiply-adds", "image"])


def _cited(paper: str) -> str:
    """The authors' names, or the first one's, and the title."""
    parts = re.sub(r", \d{4}, https?://\S+$", "", paper).split(", ")
    authors = [found for found in map(AUTHOR.fullmatch, itertools.takewhile(AUTHOR.fullmatch, parts)) if found]
    if not 0 < len(authors) < len(parts):
        return paper
    names = " & ".join(found[1] for found in authors)
    if len(authors) > 2 or authors[0][2]:
        names = f"{authors[0][1]} et al."
    return f"{names}: {', '.join(parts[len(authors) :])}"


def _row(entry: Any) -> Answer:
    from neocog.models.published import published_weights

    return {
        "name": entry.name,
        "tasks": list(entry.tasks),
        "year": entry.year,
        "parameters": entry.parameters,
        "multiply_adds": entry.multiply_adds or _counted(entry),
        "image_size": list(entry.input_size),
        "num_classes": entry.classes,
        "paper": entry.paper,
        "accuracy": entry.accuracy,
        "weights": [weights.name for weights in published_weights(entry.name)],
    }


def _counted(entry: Any) -> int:
    """Multiply-adds of an architecture for which nobody has published them."""
    import torch

    from neocog.models import create_model, describe

    with torch.device("meta"):
        return describe(create_model(entry.name, in_channels=entry.channels[0])).multiply_adds


COMMANDS.add("models", Command("list the architectures", 60, add_arguments, run, show))
