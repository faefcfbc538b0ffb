"""`neocog attack`: how a network breaks, by changed pictures, by pictures of nothing, and by spoilt ones."""

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

DEFAULT = "pgd"


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The network, the data, the methods with their options, and where to write."""
    from neocog.attack import ATTACKS
    from neocog.examine.stress import StressQuestion

    parser.add_argument(
        "--method", nargs="+", default=(DEFAULT,), metavar="NAME", help=f"see below; several are compared (default: {DEFAULT})"
    )
    parser.add_argument("--transfer-to", type=Path, metavar="RUN", help="show a second network what the first was attacked with")
    parser.add_argument("--save", type=Path, metavar="DIR", help="folder to write to (default: attack/ in the run)")
    parser.add_argument("--html", action="store_true", help="write one page with everything too")
    add_fields(parser, StressQuestion)
    asked = getattr(parser.peek(typed), "method", ())
    known = {item.name for item in fields(StressQuestion)}
    for name in [name for name in ATTACKS if name in asked]:
        options = ATTACKS[name].Options
        own = {item.name for item in fields(options)}
        if own - known:
            add_fields(parser, options, title=f"options of {name}", skip=known)
        known |= own
    add_network(parser, typed, "[DATA | IMAGE...]")
    width = max(map(len, ATTACKS))
    kinds = {ATTACKS[name].kind: "" for name in ATTACKS} | {"fooling": " (from no picture)"}
    lines = (f"  {name:{width}}  {ATTACKS[name].summary}{kinds[ATTACKS[name].kind]}" for name in ATTACKS)
    shared = "An option that several methods have holds for all of them; those of a method are listed when it is named beside --help."
    parser.epilog = "\n".join(["methods:", *lines, "", shared])


def run(arguments: argparse.Namespace) -> Answer:
    """Attack by every method, and write what was found."""
    from neocog.attack import ATTACKS
    from neocog.examine.stress import StressQuestion

    network, data = open_network(arguments)
    choices = given_fields(arguments, StressQuestion)
    for name in arguments.method:
        choices.update(given_fields(arguments, ATTACKS[name].Options))
    found = network.attack(
        *data, method=arguments.method, transfer_to=arguments.transfer_to, save=arguments.save, html=arguments.html, **choices
    )
    if not found.files:
        print("note: no pictures were written; name a folder with --save", file=sys.stderr)
    run = None if network.path is None else str(network.path)
    return {"run": run, "model": network.trained.name, "task": network.trained.task_name, **found.to_dict()}


COMMANDS.add(
    "attack", Command("change pictures until a network is wrong, and measure how little it takes", 23, add_arguments, run, show_findings)
)
