"""`neocog model`: what one architecture is made of."""

import argparse
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.parser import Parser
from neocog.cli.tables import mebibytes, print_facts, print_table, size_in_words
from neocog.options import option

MOST_LAYERS = 60
"""Networks of more layers are shown stage by stage unless asked otherwise."""


@dataclass(frozen=True)
class Shape:
    """What every network can be asked for."""

    num_classes: int | None = option(None, "how many classes it tells apart (default: the paper's)")
    in_channels: int | None = option(None, "channels of its images (default: the paper's)")
    image_size: tuple[int, int] | None = option(None, "height and width of its images in pixels")


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The name, what every network can be asked for, how it is shown, and the options of the one that is named."""
    parser.add_argument("name", metavar="NAME", help="of the architecture; neocog models lists them")
    add_fields(parser, Shape)
    tables = parser.add_mutually_exclusive_group()
    for table, meaning in (
        ("stages", f"a row for each stage (default for networks of more than {MOST_LAYERS} layers)"),
        ("layers", "a row for each layer, with the norm and the activation after it"),
        ("all", "a row for each module that is called, norms and activations too"),
    ):
        tables.add_argument(f"--{table}", dest="table", action="store_const", const=table, help=meaning)
    parser.add_argument("--as-dense", action="store_true", help="also the weights of the fully connected layer that would do as much")
    words = [argument for argument in typed if not argument.startswith("-")]
    if words:  # else nobody can be named, and torch need not load
        from neocog.models.entry import MODELS

        for name in [word for word in words if word in MODELS][:1]:
            add_fields(parser, MODELS[name].Options, title=f"options of {name}")


def run(arguments: argparse.Namespace) -> Answer:
    """Build the network without its weights, and describe it."""
    import torch

    from neocog.models import MODELS, activation_bytes, create_model, describe, fold
    from neocog.models.published import published_weights

    entry = MODELS[arguments.name]
    options = given_fields(arguments, entry.Options)
    shape = {"in_channels": entry.channels[0], **given_fields(arguments, Shape)}
    with torch.device("meta"):
        model = create_model(entry.name, **shape, **options)
    description = describe(model)
    layers = [_layer(row) for row in fold(description.layers)]
    default = "layers" if arguments.as_dense or len(layers) <= MOST_LAYERS else "stages"
    return {
        "name": entry.name,
        "about": inspect.getdoc(inspect.getmodule(entry.build)) or "",
        "paper": entry.paper,
        "year": entry.year,
        "tasks": list(entry.tasks),
        "num_classes": model.num_classes,
        "in_channels": model.preprocess.channels,
        "image_size": list(model.preprocess.size),
        "options": options,
        "parameters": description.parameters,
        "buffers": description.buffers,
        "multiply_adds": description.multiply_adds,
        "state_bytes": description.state_bytes,
        "activation_bytes": activation_bytes(model),
        "weights": [weights.name for weights in published_weights(entry.name)],
        "table": arguments.table or default,
        "as_dense": arguments.as_dense,
        "stages": [{**asdict(row), "output": list(row.output)} for row in description.rows],
        "layers": layers,
        "calls": [_layer(row) for row in description.layers],
    }


def show(answer: Answer) -> None:
    """What its file says of it, the facts, and the table that was asked for."""
    print(f"{answer['name']}\n\n{answer['about']}\n")
    _print_facts(answer)
    print()
    if answer["table"] == "stages":
        _print_stages(answer)
    else:
        _print_layers(answer, "calls" if answer["table"] == "all" else "layers")


def _print_facts(answer: Answer) -> None:
    image = f"{size_in_words(answer['image_size'])}, {answer['in_channels']} channel{'s' if answer['in_channels'] > 1 else ''}"
    activations = f"{_memory(answer['activation_bytes'])} of activations kept for each image, in float32"
    print_facts(
        [
            ("image", image),
            ("classes", f"{answer['num_classes']:,}"),
            ("parameters", f"{answer['parameters']:,}"),
            *([("buffers", f"{answer['buffers']:,} values that no gradient changes")] if answer["buffers"] else []),
            ("multiply-adds", f"{answer['multiply_adds']:,}"),
            ("memory", f"{_memory(answer['state_bytes'])} of parameters and buffers"),
            ("in training", activations if answer["activation_bytes"] else "nothing kept: it learns without gradients"),
            *([("known weights", ", ".join(answer["weights"]))] if answer["weights"] else []),
        ]
    )


def _memory(count: int) -> str:
    return f"{mebibytes(count)} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"


def _print_stages(answer: Answer) -> None:
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
    if any(stage["training_only"] for stage in answer["stages"]):
        print("\nAuxiliary heads run in training only; the sum of the multiply-adds leaves them out.")
    if len(answer["layers"]) > MOST_LAYERS:
        print(f"\n--layers shows its {len(answer['layers'])} layers.")


def _print_layers(answer: Answer, which: str) -> None:
    headings = ["stage", "layer", "kind", "kernel", "stride", "output", "field", "parameters", "multiply-adds", "MiB"]
    if answer["as_dense"]:
        headings.append("as dense")
    rows = []
    for stage, layers in groupby(answer[which], key=lambda layer: layer["stage"]):
        for number, layer in enumerate(layers):
            rows.append([stage if number == 0 else "", *_cells(layer), *([_dense(layer)] if answer["as_dense"] else [])])
    print_table(headings, rows, right=headings[3:])
    print("\nfield: receptive field, the side in pixels of what one point of the output sees. MiB: the output for one image in float32.")
    if which == "layers":
        print("Norms and activations are in the row of the layer before them; --all shows each.")
    if answer["as_dense"]:
        print("as dense: weights, without biases, of the fully connected layer from the same inputs to the same outputs.")


def _cells(layer: Mapping[str, Any]) -> list[str]:
    return [
        layer["name"],
        layer["kind"].split(" + ")[0],
        "" if layer["kernel"] is None else size_in_words(layer["kernel"]),
        "" if layer["stride"] is None else size_in_words(sorted(set(layer["stride"]))),
        size_in_words(layer["output"]),
        str(layer["receptive_field"] or "all"),
        f"{layer['parameters']:,}",
        f"{layer['multiply_adds']:,}",
        mebibytes(layer["output_bytes"]),
    ]


def _dense(layer: Mapping[str, Any]) -> str:
    return "" if layer["dense_parameters"] is None else f"{layer['dense_parameters']:,}"


def _layer(row: Any) -> Answer:
    shapes = {name: None if value is None else list(value) for name, value in asdict(row).items() if isinstance(value, tuple | None)}
    return {**asdict(row), **shapes, "output_bytes": row.output_bytes, "dense_parameters": row.dense_parameters}


COMMANDS.add("model", Command("describe one architecture, layer by layer", 61, add_arguments, run, show))
