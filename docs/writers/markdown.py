"""What all writers of tables share: Markdown, options in words, and kept results."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "kept_result", "measured_on", "members", "options", "sentence", "table", "typed", "won"]

FOLDER = Path(__file__).parent.parent


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def members(registry: Any) -> str:
    """A row for each member of an open folder."""
    rows = ((f"`{name}`", sentence(registry[name].Options), options(registry[name].Options), registry[name].source) for name in registry)
    return table(("name", "what it does", "options", "source"), rows)


def options(kind: type) -> str:
    """The options of a member, with their defaults and help."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return "<br>".join(f"`{field.name}` ({typed(field.default)}): {field.metadata['help']}" for field in fields) or "none"


def sentence(member: Any) -> str:
    """The first sentence of a docstring."""
    return " ".join((member.__doc__ or "").split("\n\n")[0].split())


def typed(value: Any) -> str:
    """A value as a person types it."""
    if isinstance(value, tuple):
        return " ".join(map(typed, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def kept_result(name: str) -> Any:
    """A result that a benchmark kept."""
    return json.loads((FOLDER / "benchmarks" / name).read_text(encoding="utf-8"))


def measured_on(kept: Any) -> str:
    """The machine and the day of a result."""
    machine = kept["machine"]
    return f"\nMeasured on {kept['date']}: {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}.\n"


def won(ratio: float, *, bold: bool = True) -> str:
    """A ratio to a rival, and whether the rival won."""
    text = f"**{ratio:.2f}**" if bold else f"{ratio:.2f}"
    return text if ratio >= 1 else f"{text} (the rival wins)"
