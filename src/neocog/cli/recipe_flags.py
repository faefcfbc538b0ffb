"""The flags of a recipe's chosen members, and the recipe that the flags of a command make."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from neocog.cli.flags import add_fields, given_fields
from neocog.cli.parser import COMMON_FLAGS, Parser

__all__ = ["add_member_flags", "chosen_flags", "named_recipe"]

MEMBERS = ("task", "model", "optimizer", "schedule", "augment", "adversarial")


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
    from neocog.data.open import layout_of
    from neocog.data.registry import DATASETS
    from neocog.recipe import Recipe, chosen_over, read_recipe

    peeked = parser.peek(typed)
    path = getattr(peeked, "recipe", None)
    recipe = Recipe() if path is None else read_recipe(path)
    choices = {name: value for name, value in chosen_flags(peeked, ())[0].items() if name in MEMBERS}
    named = [word for word in typed if word in DATASETS]  # the words cannot be told from values of flags that are still to come
    if not named and not recipe.dataset:
        named = [word for word in typed if not word.startswith("-") and layout_of(word) is not None]
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
    return choices, {name: value for name, value in others.items() if name not in (*choices, *own, *COMMON_FLAGS)}
