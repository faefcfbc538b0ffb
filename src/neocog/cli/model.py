"""`neocog model`: what one architecture is made of."""

import argparse
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts, print_table, size_in_words
from neocog.options import option


@dataclass(frozen=True)
class Shape:
    """What every network can be asked for."""

    num_classes: int | None = option(None, "how many classes it tells apart (default: the paper's)")
    in_channels: int | None = option(None, "channels of its images (default: the paper's)")
    image_size: tuple[int, int] | None = option(None, "height and width of its images in pixels")


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The name, what every network can be asked for, and the options of the one that is named."""
    parser.add_argument("name", metavar="NAME", help="of the architecture; neocog models lists them")
    add_fields(parser, Shape)
    words = [argument for argument in typed if not argument.startswith("-")]
    if words:  # else nobody can be named, and torch need not load
        from neocog.models.entry import MODELS

        for name in [word for word in words if word in MODELS][:1]:
            add_fields(parser, MODELS[name].Options, title=f"options of {name}")


def run(arguments: argparse.Namespace) -> Answer:
    """Build the network without its weights, and describe it."""
    import torch

    from neocog.models.create import create_model
    from neocog.models.describe import describe
    from neocog.models.entry import MODELS

    entry = MODELS[arguments.name]
    options = given_fields(arguments, entry.Options)
    shape = {"in_channels": entry.channels[0], **given_fields(arguments, Shape)}
    with torch.device("meta"):
        model = create_model(entry.name, **shape, **options)
    description = describe(model)
    return {
        "name": entry.name,
        "about": inspect.getdoc(inspect.getmodule(entry.build)) or "",
        "paper": entry.paper,
        "year": entry.year,
        "task": entry.task,
        "num_classes": model.num_classes,
        "in_channels": model.preprocess.channels,
        "image_size": list(model.preprocess.size),
        "options": options,
        "parameters": description.parameters,
        "multiply_adds": description.multiply_adds,
        "weights": list(entry.weights),
        "stages": [_stage(row) for row in description.rows],
    }


def show(answer: Answer) -> None:
    """What its file says of it, the facts, and the table of stages."""
    print(f"{answer['name']}\n\n{answer['about']}\n")
    image = f"{size_in_words(answer['image_size'])}, {answer['in_channels']} channel{'s' if answer['in_channels'] > 1 else ''}"
    print_facts(
        [
            ("image", image),
            ("classes", f"{answer['num_classes']:,}"),
            ("parameters", f"{answer['parameters']:,}"),
            ("multiply-adds", f"{answer['multiply_adds']:,}"),
            *([("known weights", ", ".join(answer["weights"]))] if answer["weights"] else []),
        ]
    )
    print()
    rows = [
        [
            stage["name"],
            size_in_words(stage["output"]),
            str(stage["receptive_field"] or "all"),
            f"{stage['parameters']:,}",
            f"{stage['multiply_adds']:,}",
        ]
        for stage in answer["stages"]
    ]
    headings = ["stage", "output", "receptive field", "parameters", "multiply-adds"]
    print_table(headings, rows, right=headings[1:])


def _stage(row: Any) -> Answer:
    return {
        "name": row.name,
        "output": list(row.output),
        "receptive_field": row.receptive_field,
        "parameters": row.parameters,
        "multiply_adds": row.multiply_adds,
    }


COMMANDS.add("model", Command("describe one architecture, stage by stage", 61, add_arguments, run, show))
