"""`neocog train`: from pictures to a trained network in a run folder."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields
from neocog.cli.network import facts
from neocog.cli.parser import Parser
from neocog.cli.recipe_flags import add_member_flags, chosen_flags, named_recipe
from neocog.cli.training_result import add_profile_flag, show


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The data, where to, the fields of a recipe, and the options of the members that are chosen."""
    from neocog.recipe import Recipe

    parser.usage = "neocog train [DATA] [flags]"
    parser.epilog = (
        "The options of another member are flags as soon as it is named, and shown with it: "
        "neocog train --model lenet5 --optimizer momentum --augment flip cutout --help"
    )
    parser.add_argument(
        "dataset", nargs="?", default=argparse.SUPPRESS, metavar="DATA", help="name or path of a dataset; a recipe may name it instead"
    )
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder for the run (default runs/<dataset>-<model>-<n>)")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="recipe to begin from; flags override it")
    parser.add_argument("--find-lr", action="store_true", help="find the learning rate by a short trial first; the run keeps its curve")
    add_profile_flag(parser)
    add_fields(parser, Recipe, title="the recipe", skip=("dataset",))
    add_member_flags(parser, named_recipe(parser, typed))


def run(arguments: argparse.Namespace) -> Answer:
    """Train; progress goes to standard error."""
    from neocog.api import train

    choices, options = chosen_flags(arguments, ("out", "recipe", "find_lr", "profile"))
    switches = {"find_lr": arguments.find_lr, "profile": arguments.profile}
    return facts(train(out=arguments.out, recipe=arguments.recipe, **switches, **choices, **options))


COMMANDS.add("train", Command("train a network on pictures", 10, add_arguments, run, show))
