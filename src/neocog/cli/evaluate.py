"""`neocog evaluate`: how good a network is on pictures whose classes are known."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neocog.cli.averaging import add_averaging, cost_in_words, open_others, print_members
from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.examination import add_examinations, examine, show_examinations
from neocog.cli.network import add_network, facts, open_network
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts, print_table
from neocog.errors import UsageError

if TYPE_CHECKING:
    from neocog.evaluation import Evaluation

MOST_CLASSES_SHOWN = 30


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The network, the data, which split of them, and where to write."""
    parser.add_argument("--split", metavar="NAME", help="train, val or test (default: test, else val, else all pictures)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="folder to write to (default: the run's own for its own data)")
    add_averaging(parser)
    add_examinations(parser)
    add_network(parser, typed, "[DATA]")


def run(arguments: argparse.Namespace) -> Answer:
    """Ask the network about every picture of the split."""
    network, words = open_network(arguments)
    if len(words) > 1:
        raise UsageError("at most one dataset", ", ".join(words), "evaluate on one after the other")
    others = open_others(arguments)
    known = facts(network)
    data = words[0] if words else None
    examined = examine(network, data, arguments)
    evaluation = network.evaluate(data, split=arguments.split, together_with=others, tta=arguments.tta, save=arguments.save)
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    interval = evaluation.interval()
    return {
        **known,
        "metrics": evaluation.named_metrics(),
        "split": evaluation.split,
        "pictures": len(evaluation.indices),
        "interval": None if interval is None else list(interval),
        "classes": _classes(evaluation, network.class_names),
        "files": [str(path) for path in evaluation.files],
        **evaluation.averaging(),
        **examined,
    }


def show(answer: Answer) -> None:
    """The metrics, a row for each class where there are not too many, and what was written."""
    interval = f"  (95 % interval {answer['interval'][0]:.4f} to {answer['interval'][1]:.4f})" if answer["interval"] else ""
    metrics = {name.partition("/")[2]: value for name, value in answer["metrics"].items()}
    print_facts(
        [
            ("split", answer["split"]),
            ("pictures", f"{answer['pictures']:,}"),
            *((name.replace("_", " "), f"{value:.4f}{interval if name == 'accuracy' else ''}") for name, value in metrics.items()),
            *((("cost", cost),) if (cost := cost_in_words(answer)) else ()),
        ]
    )
    print_members(answer)
    classes = answer["classes"]
    if 0 < len(classes) <= MOST_CLASSES_SHOWN:
        print()
        rows = [[one["name"], f"{one['precision']:.4f}", f"{one['recall']:.4f}", f"{one['pictures']:,}"] for one in classes]
        headings = ["class", "precision", "recall", "pictures"]
        print_table(headings, rows, right=headings[1:])
    if answer["files"]:
        print(f"\nwritten to {Path(answer['files'][0]).parent}: {', '.join(Path(path).name for path in answer['files'])}")
    show_examinations(answer)


def _classes(evaluation: "Evaluation", names: Sequence[str]) -> list[dict[str, Any]]:
    """Figures of the classes that occur, as labels or as answers."""
    figures = evaluation.per_class()
    if figures is None:
        return []
    rows = zip(names, *(column.tolist() for column in figures), strict=True)
    return [
        {"name": name, "precision": precision, "recall": recall, "pictures": pictures}
        for name, precision, recall, pictures, answers in rows
        if pictures or answers
    ]


COMMANDS.add("evaluate", Command("measure a network on pictures whose classes are known", 20, add_arguments, run, show))
