"""`neocog explain`: why a network decides as it does, and what it is made of."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.findings import show_findings
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.network import add_network, open_network
from neocog.cli.parser import Parser

WORDS = {"pictures": "", "data": " (of a dataset)", "nothing": " (of the network alone)"}


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The network, the pictures, the methods with their options, and where to write."""
    from neocog.examine import EXAMINATIONS
    from neocog.examine.question import ALL, Question

    parser.add_argument(
        "--method",
        nargs="+",
        default=(),
        metavar="NAME",
        help=f"see below; several are compared, {ALL} takes every method of attribution (default: grad_cam, or occlusion)",
    )
    parser.add_argument("--save", type=Path, metavar="DIR", help="folder to write to (default: explain/ in the run)")
    parser.add_argument("--html", action="store_true", help="write one page with everything too")
    parser.add_argument(
        "--class", dest="about", default=argparse.SUPPRESS, metavar="NAME", help="ask about this class, in place of the network's decision"
    )
    add_fields(parser, Question, skip=("about",))
    asked = getattr(parser.peek(typed), "method", ())
    names = [name for name in EXAMINATIONS if name in asked or (ALL in asked and EXAMINATIONS[name].attributes)]
    known: set[str] = set()
    for name in names:
        options = EXAMINATIONS[name].Options
        add_fields(parser, options, title=f"options of {name}", skip=known)
        known |= {field.name for field in fields(options)}
    add_network(parser, typed, "[IMAGE...]")
    width = max(map(len, EXAMINATIONS))
    lines = (f"  {name:{width}}  {EXAMINATIONS[name].summary}{WORDS[EXAMINATIONS[name].takes]}" for name in EXAMINATIONS)
    parser.epilog = "\n".join(["methods:", *lines, "", "Options of a method are listed when it is named beside --help."])


def run(arguments: argparse.Namespace) -> Answer:
    """Ask by every method, and write what was found."""
    from neocog.examine import EXAMINATIONS
    from neocog.examine.question import Question

    network, pictures = open_network(arguments)
    choices = given_fields(arguments, Question)
    for name in EXAMINATIONS:
        choices.update(given_fields(arguments, EXAMINATIONS[name].Options))
    found = network.explain(*pictures, method=arguments.method, save=arguments.save, html=arguments.html, **choices)
    if not found.files:
        print("note: no pictures were written; name a folder with --save", file=sys.stderr)
    run = None if network.path is None else str(network.path)
    return {"run": run, "model": network.trained.name, "task": network.trained.task_name, **found.to_dict()}


COMMANDS.add("explain", Command("show why a network decides, and what it has learnt", 22, add_arguments, run, show_findings))
