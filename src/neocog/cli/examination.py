"""What `neocog evaluate` looks into beside the metrics, where it is asked to: linear probes and shift consistency."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from neocog.cli.command import Answer
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts, print_table
from neocog.errors import UsageError

if TYPE_CHECKING:
    from neocog.api import Run

__all__ = ["add_examinations", "examine", "show_examinations"]

PROBES, SHIFTS = "--linear-probes", "--shift-consistency"
ITS_OWN = 0
"""Stands for the number that each examination takes by itself."""


def add_examinations(parser: Parser) -> None:
    """The flags; each may have a number after it."""
    group = parser.add_argument_group("a closer look")
    group.add_argument(
        PROBES,
        nargs="?",
        type=_count(PROBES),
        const=ITS_OWN,
        metavar="PICTURES",
        help="fit linear classifiers after each stage, to at most so many training pictures (default 5000)",
    )
    group.add_argument(
        SHIFTS,
        nargs="?",
        type=_count(SHIFTS),
        const=ITS_OWN,
        metavar="PIXELS",
        help="count how often shifts by up to so many pixels leave the decision as it is (default: by the image size)",
    )


def examine(network: "Run", data: str | None, arguments: argparse.Namespace) -> Answer:
    """Look where the flags say; nothing without them.

    Args:
        network: what is examined.
        data: name or path of a dataset; None for the network's own.
        arguments: with the split and the place to save to as well.

    Raises:
        UsageError: the answers are averaged; see also `Run.linear_probes` and `Run.shift_consistency`.
    """
    given = {PROBES: arguments.linear_probes, SHIFTS: arguments.shift_consistency}
    asked = [flag for flag, value in given.items() if value is not None]
    averaged = "--with" if arguments.together_with else "--tta" if arguments.tta else ""
    if asked and averaged:
        raise UsageError(f"one network, and each picture once, for {asked[0]}", averaged, "leave one of them away")
    found: Answer = {}
    if SHIFTS in asked:
        shift = arguments.shift_consistency or None
        found["shift_consistency"] = network.shift_consistency(data, split=arguments.split, shift=shift).to_dict()
    if PROBES in asked:
        from neocog.examine.linear_probes import PICTURES

        pictures = arguments.linear_probes or PICTURES
        found["linear_probes"] = network.linear_probes(data, split=arguments.split, pictures=pictures, save=arguments.save).to_dict()
    return found


def show_examinations(answer: Answer) -> None:
    """A line for shift consistency, a table for the probes."""
    if "shift_consistency" in answer:
        shifts = answer["shift_consistency"]
        low, high = shifts["interval"]
        words = f"{shifts['consistency']:.4f}  (95 % interval {low:.4f} to {high:.4f})"
        print()
        pixels = "1 pixel" if shifts["shift"] == 1 else f"{shifts['shift']} pixels"
        print_facts([("shift consistency", words), ("shifts", f"up to {pixels}, {shifts['filled']} at the borders")])
    if "linear_probes" in answer:
        probes = answer["linear_probes"]
        print()
        rows = [[probe["stage"], f"{probe['features']:,}", f"{probe['accuracy']:.4f}"] for probe in probes["probes"]]
        title = f"linear probes, fitted to {probes['fitted']:,} training pictures"
        print_table(["after stage", "features", "accuracy"], rows, right=["features", "accuracy"], title=title)
        unsettled = [probe["stage"] for probe in probes["probes"] if not probe["settled"]]
        if unsettled:
            print(f"\nnot settled when their fit ended: {', '.join(unsettled)}")
        if probes["files"]:
            print(f"\nwritten to {Path(probes['files'][0]).parent}: {', '.join(Path(path).name for path in probes['files'])}")


def _count(flag: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not int(text):
            raise UsageError(f"a whole number above 0 after {flag}, or no word", repr(text), f"put {flag} last, or a number after it")
        return int(text)

    return convert
