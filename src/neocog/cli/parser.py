"""A parser whose complaints are errors of neocog: what was expected, what was found, what to do."""

import argparse
import contextlib
from collections.abc import Sequence
from typing import NoReturn

from neocog.errors import UsageError
from neocog.registry import closest

__all__ = ["COMMON_FLAGS", "Parser", "add_common_flags"]

COMMON_FLAGS = ("json", "debug")
"""What every command can be told, as the parsed arguments name it."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError, suggests the nearest flag, and never guesses at abbreviations."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, formatter_class=_Formatter)

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse all arguments.

        Raises:
            UsageError: one is unknown, missing or malformed.
        """
        namespace, unknown = self.parse_known_intermixed_args(list(arguments))  # flags may stand between the words
        if unknown:
            raise self._unknown(unknown)
        return namespace

    def peek(self, arguments: Sequence[str]) -> argparse.Namespace:
        """What can be told from the arguments with the flags that were added so far; complains of nothing."""
        namespace = argparse.Namespace()
        with contextlib.suppress(UsageError):
            self.parse_known_args([argument for argument in arguments if argument not in ("-h", "--help")], namespace)
        return namespace

    def flags(self) -> list[str]:
        """All flags that the parser knows, in their long form."""
        return sorted(flag for action in self._actions for flag in action.option_strings if flag.startswith("--"))

    def error(self, message: str) -> NoReturn:
        """Called by argparse for everything that it finds wrong itself."""
        raise UsageError(f"the arguments of {self.prog}", message, f"see {self.prog} --help")

    def _unknown(self, arguments: list[str]) -> UsageError:
        first = next((argument for argument in arguments if argument.startswith("-")), None)
        if first is None:
            return UsageError(f"no more arguments for {self.prog}", " ".join(map(repr, arguments)), f"see {self.prog} --help")
        flag = first.split("=", 1)[0]
        suggestion = closest(flag, self.flags())
        remedy = suggestion if suggestion.startswith("did you mean") else f"see {self.prog} --help"
        return UsageError(f"a flag of {self.prog}", repr(flag), remedy)


class _Formatter(argparse.HelpFormatter):
    """Help with the flags in one column wide enough for most of them."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """A text of several lines keeps them: it is a list."""
        return text if "\n" in text else super()._fill_text(text, width, indent)


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that every command has."""
    group = parser.add_argument_group("on every command")
    group.add_argument("--json", action="store_true", help="print one JSON object on standard output and all else on standard error")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
