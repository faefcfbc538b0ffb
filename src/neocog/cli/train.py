"""`neocog train`: from pictures to a trained network in a run folder."""

import argparse
import csv
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields, given_fields
from neocog.cli.network import facts
from neocog.cli.parser import Parser
from neocog.cli.tables import print_facts

__all__ = ["add_member_flags", "chosen_flags", "named_recipe", "show"]

COMMON = ("json", "debug")
MEMBERS = ("task", "model", "optimizer", "schedule", "augment")
ANY_PICTURE = "picture.jpg"


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The data, where to, the fields of a recipe, and the options of the members that are chosen."""
    from neocog.recipe import TABLES, Recipe

    parser.usage = "neocog train [DATA] [flags]"
    parser.epilog = (
        "The options of another member are flags as soon as it is named, and shown with it: "
        "neocog train --model lenet5 --optimizer momentum --augment flip cutout --help"
    )
    parser.add_argument(
        "dataset", nargs="?", default=argparse.SUPPRESS, metavar="DATA", help="name or path of a dataset; a recipe may name it instead"
    )
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder for the run (default runs/<dataset>-<model>-<n>)")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="recipe to begin from; flags go before it")
    add_fields(parser, Recipe, title="the recipe", skip=("dataset", *TABLES.values(), "augment_options"))
    add_member_flags(parser, named_recipe(parser, typed))


def add_member_flags(parser: Parser, recipe: Any, kinds: Sequence[str] = ()) -> None:
    """Add a flag for each option of the members that a recipe names, or that may be chosen for it.

    Args:
        parser: has the flags of the recipe's own fields.
        recipe: as `named_recipe` gives it.
        kinds: of the members; all of them, where empty.
    """
    from neocog.recipe import Recipe
    from neocog.training.defaults import members_in_question

    taken = {item.name for item in fields(Recipe)}
    for kind, name, options in members_in_question(recipe):
        if not kinds or kind in kinds:
            add_fields(parser, options, title=f"options of the {kind} {name}", skip=taken)
            taken |= {item.name for item in fields(options)}


def named_recipe(parser: Parser, typed: Sequence[str]) -> Any:
    """A recipe with the members that the typed arguments name, directly or by a recipe's file; else its defaults.

    Raises:
        RecipeError: the file is at fault.
    """
    from neocog.data.registry import DATASETS
    from neocog.recipe import Recipe, chosen_over, read_recipe

    peeked = parser.peek(typed)
    path = getattr(peeked, "recipe", None)
    recipe = Recipe() if path is None else read_recipe(path)
    choices = {name: value for name, value in chosen_flags(peeked, ())[0].items() if name in MEMBERS}
    named = [word for word in typed if word in DATASETS]  # the words cannot be told from values of flags that are still to come
    return chosen_over(recipe, {**choices, **({"dataset": named[0]} if named else {})})


def chosen_flags(arguments: argparse.Namespace, own: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a recipe that were given, and the options of members.

    Args:
        arguments: as parsed.
        own: what else the command takes.
    """
    from neocog.recipe import Recipe

    choices = given_fields(arguments, Recipe)
    if choices.get("augment") == ("none",):
        choices["augment"] = ()
    others = {name: tuple(value) if isinstance(value, list) else value for name, value in vars(arguments).items()}
    return choices, {name: value for name, value in others.items() if name not in (*choices, *own, *COMMON)}


def run(arguments: argparse.Namespace) -> Answer:
    """Train; progress goes to standard error."""
    from neocog.api import train

    choices, options = chosen_flags(arguments, ("out", "recipe"))
    return facts(train(out=arguments.out, recipe=arguments.recipe, **choices, **options))


def show(answer: Answer) -> None:
    """How good it is, where it is, and what to do next."""
    run = shlex.quote(answer["run"])
    print_facts(
        [
            *_first_metrics(answer["metrics"]),
            ("run", answer["run"]),
            ("to try", f"neocog evaluate {run}"),
            ("", f"neocog predict {run} {shlex.quote(_a_picture(Path(answer['run'])))}"),
        ]
    )


def _first_metrics(metrics: dict[str, float]) -> list[tuple[str, str]]:
    """The primary metric, which stands first, of the test split; of the validation split where there is no other."""
    for split in ("test", "val", "train"):
        for name, value in metrics.items():
            if name.startswith(f"{split}/"):
                return [(f"{split} {name.removeprefix(f'{split}/').replace('_', ' ')}", f"{value:.4f}")]
    return []


def _a_picture(run: Path) -> str:
    """A file of the run's data that the network has not learnt from; any name where there is none."""
    from neocog.run import RunFolder
    from neocog.run.folder import SPLITS

    folder = RunFolder(run)
    data = Path(folder.recipe().dataset)
    base = data if data.is_dir() else data.parent
    with folder.require(SPLITS).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        unseen = (row["picture"] for row in csv.DictReader(file) if row["split"] in ("val", "test"))
        first = next(unseen, None)
    if first is None or not (base / first).is_file():
        return ANY_PICTURE
    near = Path.cwd()
    return str((base / first).relative_to(near) if (base / first).is_relative_to(near) else base / first)


COMMANDS.add("train", Command("train a network on pictures", 10, add_arguments, run, show))
