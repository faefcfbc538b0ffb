"""What a command is, and the registry of all commands."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neocog.cli.parser import Parser
from neocog.registry import Registry

__all__ = ["COMMANDS", "Answer", "Command"]

Answer = dict[str, Any]
"""What a command found out, as JSON holds it."""


@dataclass(frozen=True)
class Command:
    """One command: what it takes, what it finds out, and how a person is told.

    Attributes:
        help: one line for the list of commands.
        place: where it stands in that list; the list follows a person's way from pictures to a network.
        add_arguments: adds the command's arguments to its parser; what was typed is there too, because the
            flags of a chosen member (``--model resnet18``) depend on the choice.
        run: does the work and returns the object that ``--json`` prints. What it says meanwhile goes to
            standard error. An "exit_code" in it becomes the program's; without one it is 0.
        show: prints the same object for people, on standard output.
    """

    help: str
    place: int
    add_arguments: Callable[[Parser, Sequence[str]], None]
    run: Callable[[argparse.Namespace], Answer]
    show: Callable[[Answer], None]


COMMANDS: Registry[Command] = Registry("a command", "neocog.cli")
