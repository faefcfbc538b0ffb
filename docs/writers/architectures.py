"""Tables of networks, their weights and their layers, from the registries and kept measurements."""

import csv
import re
import sys
from collections.abc import Sequence

import neocog.layers
from neocog.models import MODELS, Entry, all_published_weights, published_weights
from writers.markdown import FOLDER, kept_result, sentence, table

__all__ = ["ilsvrc", "layers", "models", "proof", "published"]


def models() -> str:
    """Every architecture with its size, its work and its memory."""
    kept = kept_result("../models.json")["results"]
    rows = (
        (
            f"`{e.name}`",
            e.year,
            e.paper,
            ", ".join(e.tasks),
            f"{e.input_size[0]}×{e.input_size[1]}",
            f"{e.parameters:,}",
            _rounded(kept[e.name]["multiply_adds"]),
            f"{kept[e.name]['activation_bytes'] / 2**20:.3g}",
        )
        for e in _by_year()
    )
    return table(("name", "year", "paper", "task", "image", "parameters", "multiply-adds", "activations, MiB"), rows)


def proof() -> str:
    """Every architecture with what its paper reports, what weights there are, and what it was held against."""
    kept = kept_result("../models.json")
    rows = (
        (
            f"`{e.name}`",
            e.accuracy,
            ", ".join(f"`{weights.name}`" for weights in published_weights(e.name)),
            kept["results"][e.name]["reference"],
            f"{kept['results'][e.name]['difference']:.0e}",
        )
        for e in _by_year()
    )
    headings = ("name", "what the paper reports", "weights", "held against", "largest difference")
    return table(headings, rows) + f"\nMeasured on {kept['date']} with torch {kept['torch']}, on a processor, in float32.\n"


def _by_year() -> list[Entry]:
    return sorted((MODELS[name] for name in MODELS), key=lambda entry: (entry.year, entry.name))


def _rounded(count: int) -> str:
    """Three digits and a unit."""
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count / unit:.3g} {letter}"
    return str(count)


def published() -> str:
    """Every file of published weights."""
    rows = (
        (
            f"`{row.model}`",
            f"`{row.name}`",
            f"[{row.path.name}]({row.url})" if row.url else f"{row.path.name}, put in place by hand",
            row.licence,
            row.trained_on,
            *("" if figure is None else f"{figure:.2f}" for figure in (row.top1, row.top5, row.mean_iou)),
        )
        for row in all_published_weights()
    )
    return table(("architecture", "weights", "file", "licence", "trained on", "top-1 %", "top-5 %", "mean IoU %"), rows)


def ilsvrc() -> str:
    """The contest's figures, with their sources."""
    with (FOLDER / "data" / "ilsvrc.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            (
                row["year"],
                row["entry"],
                row["method"],
                row["place"],
                row["top5_error"] + (f" ({row['extra_data_error']} with extra data)" if row["extra_data_error"] else ""),
                f"`{row['architecture']}`" if row["architecture"] else "",
                row["source"],
            )
            for row in csv.DictReader(file)
        ]
    return table(("year", "entry", "what it was", "place", "top-5 error, %", "here", "source"), rows)


def layers() -> str:
    """Every file of layers: its modules and functions, and the links of its docstrings."""
    files: dict[str, list[str]] = {}
    for name in neocog.layers.__all__:
        module = getattr(neocog.layers, name).__module__
        if module.startswith("neocog.layers."):
            files.setdefault(module, []).append(name)
    return table(("file", "what is in it", "source"), (_layer_file(module, files[module]) for module in sorted(files)))


def _layer_file(module: str, names: Sequence[str]) -> tuple[str, str, str]:
    members = {name: getattr(neocog.layers, name) for name in names}
    texts = [sys.modules[module].__doc__, *(member.__doc__ for member in members.values())]
    links = dict.fromkeys(link for text in texts for link in re.findall(r"https://[^\s,)]+", text or ""))
    file = module.rpartition(".")[2]
    link = f"[{file}](../src/{module.replace('.', '/')}.py)"
    return link, "<br>".join(f"`{name}`: {sentence(member)}" for name, member in members.items()), "<br>".join(links)
