"""`neocog data`: what is in a dataset, what is wrong with it, and what training will see of it."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from neocog.cli.command import COMMANDS, Answer, Command
from neocog.cli.flags import add_fields
from neocog.cli.parser import Parser
from neocog.cli.recipe_flags import add_member_flags, chosen_flags, named_recipe
from neocog.cli.tables import print_facts, print_table
from neocog.errors import DataError, UsageError
from neocog.progress import counting, open_progress

RECIPE_FLAGS = ("task", "model", "image_size", "augment", "seed")
MOST_SHOWN = 10
MOST_CLASSES_SHOWN = 40


def add_arguments(parser: Parser, typed: Sequence[str]) -> None:
    """The data, where to draw them, and what decides how they are augmented."""
    from neocog.recipe import Recipe

    parser.usage = "neocog data DATA [flags]"
    parser.add_argument("dataset", metavar="DATA", help="name or path of a dataset")
    parser.add_argument("--show", type=Path, metavar="FILE", help="PNG file for a sheet of pictures before and after augmentation")
    add_fields(
        parser, Recipe, title="what training would see", skip=[item.name for item in fields(Recipe) if item.name not in RECIPE_FLAGS]
    )
    add_member_flags(parser, named_recipe(parser, typed), kinds=("dataset", "layout", "augmentation"))


def run(arguments: argparse.Namespace) -> Answer:
    """Read every picture once; the exit code says whether it can be trained on."""
    from neocog.data.check import check
    from neocog.data.open import open_dataset
    from neocog.recipe import Recipe, chosen_over
    from neocog.training.defaults import with_dataset_options

    choices, options = chosen_flags(arguments, ("show",))
    recipe, options = with_dataset_options(chosen_over(Recipe(), choices), options)
    dataset = open_dataset(recipe.dataset, task=recipe.task, **recipe.dataset_options)
    if arguments.show is not None:
        _check_place(arguments.show, dataset.root)
    with open_progress() as progress:
        with counting(progress, f"reading {dataset.name}", len(dataset)) as done:
            report = check(dataset, progress=done)
        answer = {**report.to_dict(), "sheet": None}
        if arguments.show is not None and not report.obstacles:
            _draw(arguments.show, recipe, options)
            answer["sheet"] = str(arguments.show)
    return {**answer, "exit_code": DataError.exit_code} if report.obstacles else answer


def _check_place(path: Path, root: Path | None) -> None:
    if path.suffix.lower() != ".png":
        raise UsageError("a file name that ends in .png for --show", str(path), f"write it as --show {path.with_suffix('.png')}")
    if root is not None and path.resolve().is_relative_to(root.resolve()):
        raise UsageError("a place outside the dataset for --show", str(path), "choose another folder: the dataset stays as it is")


def _draw(path: Path, recipe: Any, options: Mapping[str, Any]) -> None:
    from neocog.files import make_folder, write_atomically
    from neocog.images import encode_png
    from neocog.training.preview import augmentation_sheet

    make_folder(path.parent)
    write_atomically(path, encode_png(augmentation_sheet(recipe, options)))


def show(answer: Answer) -> None:
    """From the whole to single pictures."""
    print_facts(_facts(answer))
    _show_counts(answer)
    _show_groups("cannot be used", [f"{one['where']}: {one['detail']}" for one in answer["faults"]])
    for kind in dict.fromkeys(note["kind"] for note in answer["notes"]):
        _show_groups(NOTES.get(kind, kind), [note["where"] for note in answer["notes"] if note["kind"] == kind])
    _show_groups("in more than one split (training sets the copies aside)", [" = ".join(group) for group in answer["leaks"]])
    _show_groups("in more than one class", [" = ".join(group) for group in answer["contradictions"]])
    told = [*answer["leaks"], *answer["contradictions"]]
    _show_groups("twice or more", [" = ".join(group) for group in answer["duplicates"] if group not in told])
    for obstacle in answer["obstacles"]:
        print(f"\ntraining would refuse: {obstacle}")
    if answer["sheet"] is not None:
        print(f"\ndrawn: {answer['sheet']}")


NOTES = {
    "cmyk": "in CMYK, read as RGB",
    "animated": "animated, the first frame is read",
    "rotated": "turned upright by their EXIF orientation",
    "16 bit": "of 16 bits a channel",
    "1x1": "of a single pixel",
    "suffix": "of another format than their names say",
}


def _facts(answer: Answer) -> list[tuple[str, str]]:
    colours = [f"{answer[name]:,} {name}" for name in ("colour", "grey") if answer[name]]
    facts = [
        ("dataset", answer["dataset"]),
        ("from", answer["root"]),
        ("task", answer["task"]),
        ("pictures", f"{sum(answer['pictures'].values()):,} ({', '.join(colours)})" if colours else "none that can be read"),
        ("classes", f"{len(answer['class_names']):,}" if answer["class_names"] else ""),
        ("height", _spread(answer["heights"])),
        ("width", _spread(answer["widths"])),
        ("licence", answer["licence"]),
        ("training", ", ".join(f"{count:,} {split}" for split, count in answer["splits"].items())),
        *(("note", remark) for remark in answer["remarks"]),
    ]
    return [(name, value) for name, value in facts if value]


def _spread(spread: Mapping[str, int] | None) -> str:
    if spread is None:
        return ""
    if spread["least"] == spread["most"]:
        return f"{spread['median']} pixels"
    return f"{spread['least']} to {spread['most']} pixels, half of them up to {spread['median']}"


def _show_counts(answer: Answer) -> None:
    """How many pictures of each class are in each split, and which share of the pixels is of it."""
    places, names = list(answer["classes"]), answer["class_names"]
    if not places:
        return
    pixels = answer["pixels"]
    shown = [*names[:MOST_CLASSES_SHOWN], *(["void"] if any(counts["void"] for counts in pixels.values()) else [])]
    headings = [*places, *(f"pixels of {place}" for place in pixels)]
    rows = [[name, *(_count(answer["classes"][place].get(name)) for place in places), *_shares(pixels, name)] for name in shown]
    print()
    print_table(["class", *headings], rows, right=headings)
    if len(names) > MOST_CLASSES_SHOWN:
        print(f"… and {len(names) - MOST_CLASSES_SHOWN:,} more classes; --json has them all")


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _shares(pixels: Mapping[str, Mapping[str, int]], name: str) -> list[str]:
    """A class's share of the pixels of each split."""
    return [f"{counts[name] / max(sum(counts.values()), 1):.2%}" for counts in pixels.values()]


def _show_groups(what: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    print(f"\n{what}: {len(lines):,}")
    for line in lines[:MOST_SHOWN]:
        print(f"  {line}")
    if len(lines) > MOST_SHOWN:
        print(f"  … and {len(lines) - MOST_SHOWN:,} more; --json names them all")


COMMANDS.add("data", Command("say what is in a dataset, and what is wrong with it", 50, add_arguments, run, show))
