"""``--with`` and ``--tta``: networks that answer together, views that are averaged, and how people are told of both."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neocog.cli.command import Answer
from neocog.cli.parser import Parser
from neocog.cli.tables import print_table

if TYPE_CHECKING:
    from neocog.api import Run

__all__ = ["add_averaging", "add_crf", "cost_in_words", "members", "open_others", "print_members"]

SHOWN = ("calibration_error", "loss")
"""Metrics of a member that stand in its row, beside the primary one."""


def add_averaging(parser: Parser) -> None:
    """The flags; each takes several words, so that they stand behind the words of the command."""
    from neocog.evaluation.views import VIEWS

    group = parser.add_argument_group("averaged answers")
    group.add_argument(
        "--with",
        dest="together_with",
        nargs="+",
        default=(),
        metavar="RUN",
        help="runs that know the same classes; the class probabilities, or the restored pictures, of all are averaged",
    )
    views = "; ".join(f"{name}: {VIEWS[name].summary}" for name in VIEWS)
    group.add_argument(
        "--tta",
        nargs="+",
        default=(),
        metavar="VIEW",
        help=f"see each picture in several views and average the answers; several combine. {views}",
    )


def add_crf(parser: Parser, *, searched: bool) -> None:
    """The flag of the field that sharpens a segmentation.

    Args:
        searched: whether the command can search its parameters.
    """
    words = "; search finds its parameters on the validation split first, and keeps them in the run" if searched else ""
    choices: dict[str, Any] = {"nargs": "?", "const": True, "choices": ["search"]} if searched else {"action": "store_true"}
    parser.add_argument("--crf", default=False, help=f"sharpen a segmentation by a fully connected CRF{words}", **choices)


def open_others(arguments: argparse.Namespace) -> "list[Run]":
    """The runs that stand after ``--with``.

    Raises:
        UsageError, RunError: one is not there or not whole.
    """
    from neocog.api import open_run

    return [open_run(folder) for folder in arguments.together_with]


def members(networks: "Sequence[Run]") -> list[dict[str, Any]]:
    """What JSON says of the networks that answered together."""
    return [{"run": None if run.path is None else str(run.path), "model": run.trained.name} for run in networks]


def cost_in_words(answer: Answer) -> str:
    """Of a command's answer, how much longer it took than asking one network once; empty where that is what was done."""
    from neocog.evaluation.cost import Cost

    cost = Cost.from_dict(answer["cost"])
    return "" if cost.networks == 1 and not answer["views"] else cost.describe()


def print_members(answer: Answer) -> None:
    """A row for each network by itself; nothing where there is one network and one view."""
    if len(answer["members"]) == 1 and not answer["views"]:
        return
    primary = next(iter(answer["metrics"]))
    split = primary.partition("/")[0]
    names = [primary, *(name for name in (f"{split}/{metric}" for metric in SHOWN) if name in answer["metrics"])]
    headings = [name.partition("/")[2].replace("_", " ") for name in names]
    alone = [f"{headings[0]}, first view"] if answer["views"] else []
    rows = [
        [
            str(member["run"] or member["model"]),
            *(f"{member['metrics'][name]:.4f}" for name in names),
            *(f"{member['first_view'][primary]:.4f}" for _ in alone),
            f"{member['seconds']:.2f}",
        ]
        for member in answer["members"]
    ]
    print()
    headings = ["network", *headings, *alone, "seconds"]
    print_table(headings, rows, right=headings[1:])
