"""`neocog predict`: what a network says about picture files."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neocog.cli.averaging import add_averaging, add_crf, cost_in_words, members, open_others
from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.network import add_network, open_network
from neocog.cli.parser import Parser
from neocog.cli.tables import print_table
from neocog.errors import UsageError

NEXT_SHOWN = 2


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The network, the pictures, and where to draw."""
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="folder for the pictures with the answers drawn on them, and for restored pictures"
    )
    add_averaging(parser)
    add_crf(parser, searched=False)
    add_network(parser, typed, "IMAGE...")


def run(arguments: argparse.Namespace) -> Answer:
    """Ask about each file; those that cannot be read are named, and the others are answered."""
    network, pictures = open_network(arguments)
    if not pictures:
        named = arguments.words[0] if arguments.words else f"--model {arguments.model}"
        raise UsageError("pictures, or folders of them", "none", f"name them, as neocog predict {named} picture.jpg")
    others = open_others(arguments)
    answers = network.predict(*pictures, together_with=others, tta=arguments.tta, crf=arguments.crf, save=arguments.save)
    for answer in answers:
        if answer.error is not None:
            print(f"left out: {answer.path}: {answer.error.found}", file=sys.stderr)
    return {
        "predictions": [answer.to_dict() for answer in answers],
        "members": members([network, *others]),
        "views": sorted(set(arguments.tta)),
        "cost": answers.cost.to_dict(),
    }


def show(answer: Answer) -> None:
    """A row for each picture that could be read."""
    rows = [[row["picture"], *_words(row)] for row in answer["predictions"] if "error" not in row]
    in_pixels = any("shares" in row for row in answer["predictions"])
    headings = ["picture", "largest class", "share", "next classes"] if in_pixels else ["picture", "answer", "confidence", "next answers"]
    print_table(headings, rows, right=headings[2:3])
    restored = [row["restored"] for row in answer["predictions"] if "restored" in row]
    drawings = [row["drawing"] for row in answer["predictions"] if "drawing" in row]
    if restored:
        count = f"{len(restored):,} {'picture' if len(restored) == 1 else 'pictures'}"
        print(f"\n{count} restored into {Path(restored[0]).parent}, with strips of before and after beside")
    elif drawings:
        print(f"\n{len(drawings):,} {'picture' if len(drawings) == 1 else 'pictures'} drawn into {Path(drawings[0]).parent}")
    cost = cost_in_words(answer)
    if cost:
        print(f"\n{cost}")


def _words(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Answer, confidence and next answers of one picture."""
    if "prediction" in row:
        others = list(zip(row["top_classes"], row["top_probabilities"], strict=True))[1 : 1 + NEXT_SHOWN]
        return row["prediction"], f"{row['confidence']:.1%}", ", ".join(f"{name} {value:.1%}" for name, value in others)
    if "boxes" in row:
        best = max(row["scores"], default=None)
        return ", ".join(row["classes"]) or "nothing", "" if best is None else f"{best:.1%}", ""
    if "shares" in row:
        (name, most), *others = row["shares"].items()
        return name, f"{most:.1%}", ", ".join(f"{other} {share:.1%}" for other, share in others[:NEXT_SHOWN])
    return f"{'restored, ' if 'restored' in row else ''}{row['height']}x{row['width']} pixels", "", ""


COMMANDS.add("predict", Command("ask a network about picture files", 21, add_arguments, run, show))
