"""Writes the tables of the documentation from the registries, between markers in the Markdown files.

uv run python docs/tables.py          # writes
uv run python docs/tables.py --check  # exit code 1 when a table is out of date
"""

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from neocog.augment import AUGMENTATIONS
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.models import MODELS
from neocog.optim import OPTIMIZERS, SCHEDULES
from neocog.recipe import TABLES, Recipe
from neocog.tasks import TASKS

FOLDER = Path(__file__).parent
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def models() -> str:
    """Every architecture with its count of parameters and its paper."""
    entries = [MODELS[name] for name in MODELS]
    rows = (
        (f"`{e.name}`", e.year, f"{e.parameters:,}", f"{e.input_size[0]}×{e.input_size[1]}", e.paper)
        for e in sorted(entries, key=lambda e: (e.year, e.name))
    )
    return _table(("name", "year", "parameters", "input", "paper"), rows)


def datasets() -> str:
    """Every named dataset."""
    return _table(("name", "what it is", "terms"), ((f"`{name}`", DATASETS[name].summary, DATASETS[name].licence) for name in DATASETS))


def layouts() -> str:
    """Every layout of a folder or file."""
    return _table(("layout", "how it lies on disk", "task"), ((name, LAYOUTS[name].summary, LAYOUTS[name].task) for name in LAYOUTS))


def augmentations() -> str:
    """Every augmentation with its options."""
    return _members(AUGMENTATIONS)


def optimizers() -> str:
    """Every optimizer with its options."""
    return _members(OPTIMIZERS)


def schedules() -> str:
    """Every schedule with its options."""
    return _members(SCHEDULES)


def recipe() -> str:
    """Every field of a recipe."""
    own = [field for field in dataclasses.fields(Recipe) if field.name not in {*TABLES.values(), "augment_options"}]
    rows = ((f"`{field.name}`", field.metadata["help"], DEFAULTS.get(field.name) or _default(field.default)) for field in own)
    return _table(("field", "what it is", "default"), rows)


DEFAULTS = {"weights": "none", "learning_rate": "by the network and the optimizer", "weight_decay": "by the optimizer"}
"""Of fields of a recipe whose default is None, where it is not chosen from the data."""


def _default(value: Any) -> str:
    if value is None:
        return "from the data"
    return f"`{_typed(value)}`" if value != "" else ""


def tasks() -> str:
    """Every option of every task."""
    rows = ((f"`{name}`", _options(TASKS[name].Options)) for name in TASKS)
    return _table(("task", "options"), rows)


def training_speed() -> str:
    """The kept result of benchmarks/train.py."""
    kept = _kept("train.json")
    rows = (
        (
            name,
            f"{result['pictures']:,}",
            result["repeats"],
            f"{result['plain']['steady']:,.0f}",
            f"{result['neocog']['steady']:,.0f}",
            f"**{result['ratio']:.2f}**",
            f"{result['steady_ratio']:.2f}",
            f"{result['plain']['memory'] / 2**30:.2f} / {result['neocog']['memory'] / 2**30:.2f}",
            ", ".join(str(value) for value in result["plan"].values()),
        )
        for name, result in kept["results"].items()
    )
    headings = ("training", "pictures", "runs", "plain images/s", "neocog images/s", "ratio", "ratio, steady", "peak memory, GiB", "plan")
    return _table(headings, rows) + _measured_on(kept)


def input_speed() -> str:
    """The kept result of benchmarks/input.py."""
    kept = _kept("input.json")
    rows = [
        ("Pillow and torchvision, every epoch", f"{kept['pillow_and_torchvision_seconds']:.2f} s", "1"),
        ("neocog, first epoch", f"{kept['neocog_first_epoch_seconds']:.2f} s", ""),
        ("neocog, later epochs", f"{kept['neocog_later_epoch_seconds']:.3f} s", f"**{kept['ratio']:.0f}**"),
    ]
    return _table(("input of an epoch", f"{kept['photos']} photos of 4000×3000", "times as fast"), rows) + _measured_on(kept)


def _kept(name: str) -> Any:
    return json.loads((FOLDER / "benchmarks" / name).read_text(encoding="utf-8"))


def _measured_on(kept: Any) -> str:
    machine = kept["machine"]
    return f"\nMeasured on {kept['date']}: {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}.\n"


WRITERS: dict[str, Callable[[], str]] = {
    writer.__name__: writer
    for writer in (models, datasets, layouts, augmentations, optimizers, schedules, recipe, tasks, training_speed, input_speed)
}


def filled(text: str) -> str:
    """A page with every marked table written anew."""
    return MARKED.sub(lambda match: f"{match[1]}\n{WRITERS[match[2]]()}\n{match[3]}", text)


def _members(registry: Any) -> str:
    rows = ((f"`{name}`", _sentence(registry[name].Options), _options(registry[name].Options), registry[name].source) for name in registry)
    return _table(("name", "what it does", "options", "source"), rows)


def _options(options: type) -> str:
    fields = dataclasses.fields(options)  # type: ignore[arg-type]
    return "<br>".join(f"`{field.name}` ({_typed(field.default)}): {field.metadata['help']}" for field in fields) or "none"


def _sentence(options: type) -> str:
    return " ".join((options.__doc__ or "").split("\n\n")[0].split())


def _typed(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_typed, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> int:
    """Write or check all pages."""
    stale = 0
    for page in sorted([*FOLDER.glob("*.md"), FOLDER.parent / "README.md"]):
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            stale = 1
            if "--check" not in sys.argv:
                page.write_text(filled(text), encoding="utf-8")
            print(f"{page.name}: {'out of date' if '--check' in sys.argv else 'written'}")
    return stale if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
