"""`neocog resume`: go on with a training that was stopped."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.network import facts
from neocog.cli.parser import Parser
from neocog.cli.training_result import add_profile_flag, show


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The run."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of the run")
    add_profile_flag(parser)


def run(arguments: argparse.Namespace) -> Answer:
    """Train to the end; one that has ended is left as it is."""
    from neocog.api import resume

    return facts(resume(arguments.run, profile=arguments.profile))


COMMANDS.add("resume", Command("go on with a training that was stopped", 11, add_arguments, run, show))
