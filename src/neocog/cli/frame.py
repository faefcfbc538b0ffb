"""From the arguments of the program to its exit code: finding the command, running it, and saying what went wrong."""

import argparse
import contextlib
import errno
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from neocog._version import __version__
from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.parser import COMMON_FLAGS, Parser, add_common_flags
from neocog.errors import Interrupted, NeocogError, SurroundingsError, UsageError

__all__ = ["run_command_line"]

COMMON = tuple(f"--{name}" for name in COMMON_FLAGS)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: what stands after the program's name.

    Returns:
        The exit code: 0 done, 1 an error that neocog did not foresee, 2 usage, 3 data, 4 environment,
        5 diverged, 130 interrupted.
    """
    as_json, debug = "--json" in arguments, "--debug" in arguments
    _admit_every_name()
    try:
        exit_code = _run(arguments, as_json)
        sys.stdout.flush()
    except SystemExit as finished:  # argparse has printed its help
        return int(finished.code or 0)
    except BrokenPipeError:
        exit_code = 0  # the reader has seen enough, as `head` does
        _silence_standard_output()
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, as_json, debug)
    return exit_code


def _run(arguments: Sequence[str], as_json: bool) -> int:
    first = next((i for i, argument in enumerate(arguments) if not argument.startswith("-")), len(arguments))
    before, name, after = arguments[:first], arguments[first : first + 1], arguments[first + 1 :]
    if not name or any(flag not in COMMON for flag in before):
        _answer_without_command(before, as_json)
        return 0
    command = COMMANDS[name[0]]
    typed = [*before, *after]
    parser = Parser(f"neocog {name[0]}", f"{command.help[0].upper()}{command.help[1:]}.")
    command.add_arguments(parser, typed)
    add_common_flags(parser)
    return _call(command, parser.parse(typed))


def _call(command: Command, namespace: argparse.Namespace) -> int:
    if namespace.json:
        with contextlib.redirect_stdout(sys.stderr):  # so that nothing but the answer can reach standard output
            answer = command.run(namespace)
        _print_json(answer)
    else:
        answer = command.run(namespace)
        command.show(answer)
    return int(answer.get("exit_code", 0))


def _answer_without_command(flags: Sequence[str], as_json: bool) -> None:
    unknown = [flag for flag in flags if flag not in (*COMMON, "-h", "--help", "--version")]
    if unknown:
        raise UsageError("a command", repr(unknown[0]), "see neocog --help")
    if "--version" in flags:
        _print_json({"version": __version__}) if as_json else print(f"neocog {__version__}")
    elif as_json:
        _print_json({"commands": {name: COMMANDS[name].help for name in _in_order()}})
    else:
        print(_overview())


def _overview() -> str:
    names = _in_order()
    width = max(map(len, names))
    return "\n".join(
        [
            "usage: neocog COMMAND ...",
            "",
            "Train, understand, break and ship convolutional networks on the machine you have.",
            "",
            *(f"  {name:{width}}  {COMMANDS[name].help}" for name in names),
            "",
            "neocog COMMAND --help says what a command takes; --json makes any command answer in JSON.",
        ]
    )


def _in_order() -> list[str]:
    return sorted(COMMANDS, key=lambda name: (COMMANDS[name].place, name))


def _print_json(answer: Answer) -> None:
    print(json.dumps(answer, ensure_ascii=False, default=str))


def _report(error: BaseException, as_json: bool, debug: bool) -> int:
    """Say what went wrong and give the exit code for it."""
    if debug:
        traceback.print_exception(error)
    known = _known(error)
    fields: dict[str, Any]
    if known is not None:
        exit_code = known.exit_code
        fields = {"kind": type(known).__name__, "expected": known.expected, "found": known.found, "remedy": known.remedy}
        lines = [f"neocog: expected {known.expected}", f"found {known.found}", f"to do: {known.remedy}"]
    else:
        exit_code = 1
        text = " ".join(str(error).split())
        fields = {"kind": type(error).__name__, "found": text, "remedy": "run again with --debug"}
        lines = [f"neocog: an unexpected {type(error).__name__}{': ' if text else ''}{text}", "to do: run again with --debug"]
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), file=sys.stderr)
        if as_json:
            _print_json({"error": fields, "exit_code": exit_code})
    return exit_code


def _known(error: BaseException) -> NeocogError | None:
    """The error of neocog that says the same, where there is one."""
    if isinstance(error, NeocogError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("the command to end by itself", "an interruption", "give the command again when you want it done")
    if _is_out_of_memory(error):
        return SurroundingsError("enough memory", "none left", "choose a smaller batch or image size, or close other programs")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SurroundingsError(
            "room on the disk", f"none left for {error.filename or 'a file'}", "free some space, or choose another folder"
        )
    if isinstance(error, PermissionError):
        return SurroundingsError(
            "the right to use a file", f"none for {error.filename}", "change its permissions, or choose another folder"
        )
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("neocog"):
        return SurroundingsError(f"the package {error.name}", "it is not installed", f"pip install {error.name}")
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    """Python, an accelerator and torch's own allocator each say it in their way."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)


def _admit_every_name() -> None:
    """Print what an output's encoding has not, such as names of files that are not UTF-8, with backslashes (in JSON an escape)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence_standard_output() -> None:
    """Keep the interpreter from failing again when it flushes a pipe that nobody reads."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
