"""Writes the tables of the documentation from the registries, between markers in the Markdown files.

uv run python docs/tables.py          # writes
uv run python docs/tables.py --check  # exit code 1 when a table is out of date
"""

import csv
import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import neocog.layers
from neocog.augment import AUGMENTATIONS
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.evaluation import VIEWS
from neocog.models import MODELS, Entry, all_published_weights, published_weights
from neocog.optim import OPTIMIZERS, SCHEDULES
from neocog.recipe import TABLES, Recipe
from neocog.tasks import TASKS
from neocog.training.loggers import LOGGERS

FOLDER = Path(__file__).parent
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def models() -> str:
    """Every architecture with its size, its work and its memory."""
    kept = _kept("../models.json")["results"]
    rows = (
        (
            f"`{e.name}`",
            e.year,
            e.paper,
            f"{e.input_size[0]}×{e.input_size[1]}",
            f"{e.parameters:,}",
            _rounded(kept[e.name]["multiply_adds"]),
            f"{kept[e.name]['activation_bytes'] / 2**20:.3g}",
        )
        for e in _by_year()
    )
    return _table(("name", "year", "paper", "image", "parameters", "multiply-adds", "activations, MiB"), rows)


def proof() -> str:
    """Every architecture with what its paper reports, what weights there are, and what it was held against."""
    kept = _kept("../models.json")
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
    return _table(headings, rows) + f"\nMeasured on {kept['date']} with torch {kept['torch']}, on a processor, in float32.\n"


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
            *("" if figure is None else f"{figure:.2f}" for figure in (row.top1, row.top5)),
        )
        for row in all_published_weights()
    )
    return _table(("architecture", "weights", "file", "licence", "trained on", "top-1 %", "top-5 %"), rows)


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
    return _table(("year", "entry", "what it was", "place", "top-5 error, %", "here", "source"), rows)


def datasets() -> str:
    """Every named dataset."""
    return _table(("name", "what it is", "terms"), ((f"`{name}`", DATASETS[name].summary, DATASETS[name].licence) for name in DATASETS))


def layouts() -> str:
    """Every layout of a folder or file."""
    return _table(("layout", "how it lies on disk", "task"), ((name, LAYOUTS[name].summary, LAYOUTS[name].task) for name in LAYOUTS))


def augmentations() -> str:
    """Every augmentation with its options."""
    return _members(AUGMENTATIONS)


def views() -> str:
    """Every view of test-time augmentation."""
    return _table(("name", "what is seen", "source"), ((f"`{name}`", VIEWS[name].summary, VIEWS[name].source) for name in VIEWS))


def optimizers() -> str:
    """Every optimizer with its options."""
    return _members(OPTIMIZERS)


def schedules() -> str:
    """Every schedule with its options."""
    return _members(SCHEDULES)


def loggers() -> str:
    """Every log for other programs."""
    rows = ((f"`{name}`", LOGGERS[name].summary, f"`pip install 'neocog[{name}]'`") for name in LOGGERS)
    return _table(("name", "what it writes", "needs"), rows)


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


def layers() -> str:
    """Every file of layers: its modules and functions, and the links of its docstrings."""
    files: dict[str, list[str]] = {}
    for name in neocog.layers.__all__:
        module = getattr(neocog.layers, name).__module__
        if module.startswith("neocog.layers."):
            files.setdefault(module, []).append(name)
    return _table(("file", "what is in it", "source"), (_layer_file(module, files[module]) for module in sorted(files)))


def _layer_file(module: str, names: Sequence[str]) -> tuple[str, str, str]:
    members = {name: getattr(neocog.layers, name) for name in names}
    texts = [sys.modules[module].__doc__, *(member.__doc__ for member in members.values())]
    links = dict.fromkeys(link for text in texts for link in re.findall(r"https://[^\s,)]+", text or ""))
    file = module.rpartition(".")[2]
    link = f"[{file}](../src/{module.replace('.', '/')}.py)"
    return link, "<br>".join(f"`{name}`: {_sentence(member)}" for name, member in members.items()), "<br>".join(links)


def convolution_forms() -> str:
    """The kept result of benchmarks/convolution.py: the fastest form of each size."""
    kept = _kept("convolution.json")
    fastest = {
        (row["image"], row["kernel"]): max({"direct": 1.0, **row["ratios"]}.items(), key=lambda form: form[1]) for row in kept["rows"]
    }
    images, kernels = (sorted({row[axis] for row in kept["rows"]}) for axis in ("image", "kernel"))
    rows = (
        (f"{image}×{image}", *(_form(*fastest[image, kernel]) if (image, kernel) in fastest else "" for kernel in kernels))
        for image in images
    )
    conditions = f"\nBatches of {kept['batch']}, {kept['channels']} channels in and out, stride 1, forward, float32.\n"
    return _table(("image", *(f"{kernel}×{kernel}" for kernel in kernels)), rows) + conditions + _measured_on(kept)


def _form(name: str, ratio: float) -> str:
    return name if name == "direct" else f"**{name}** {ratio:.1f}"


def training_speed() -> str:
    """The kept result of benchmarks/train.py: a row for each training and rival."""
    kept = _kept("train.json")
    rows = (
        (
            name,
            f"{result['pictures']:,}",
            result["repeats"],
            rival,
            f"{theirs['steady']:,.0f}",
            f"{result['neocog']['steady']:,.0f}",
            _won(theirs.get("ratio", result["ratio"])),
            _won(theirs.get("steady_ratio", result["steady_ratio"]), bold=False),
            f"{theirs['memory'] / 2**30:.2f} / {result['neocog']['memory'] / 2**30:.2f}",
            ", ".join(str(value) for value in result["plan"].values()),
        )
        for name, result in kept["results"].items()
        for rival, theirs in {"plain": result["plain"], **result.get("peers", {})}.items()
    )
    speeds = ("rival images/s", "neocog images/s", "ratio", "ratio, steady")
    return _table(("training", "pictures", "runs", "rival", *speeds, "peak memory, GiB", "plan"), rows) + _measured_on(kept)


def _won(ratio: float, *, bold: bool = True) -> str:
    """A ratio to a rival, and whether the rival won."""
    text = f"**{ratio:.2f}**" if bold else f"{ratio:.2f}"
    return text if ratio >= 1 else f"{text} (the rival wins)"


def zoo_speed() -> str:
    """The kept result of benchmarks/zoo.py: steps against torchvision's, and the slowest to build."""
    kept = _kept("zoo.json")
    rows = (
        (f"`{name}`", f"{found['ours']:.3f}", f"{found['theirs']:.3f}", f"**{found['ratio']:.2f}**")
        for name, found in kept["results"].items()
    )
    slowest = sorted(kept["building"].items(), key=lambda item: -item[1])[:5]
    built = ", ".join(f"`{name}` {seconds:.2f} s" for name, seconds in slowest)
    conditions = f"\n{kept['rounds']} rounds, batches of {kept['batch_size']}. The slowest to build with initial weights: {built}.\n"
    return _table(("architecture", "ours, s a step", "torchvision's", "ratio"), rows) + conditions + _measured_on(kept)


def learning_rates() -> str:
    """The kept result of benchmarks/learning_rates.py: the accuracy at every rate, and which rates work."""
    kept = _kept("learning_rates.json")
    found = {(row["rate"], row["norm"]): row for row in kept["rows"]}
    rates = sorted({rate for rate, _ in found})
    rows = [(f"{rate:g}", *(_reached(found[rate, norm], kept["working"][norm]) for norm in ("batch", "none"))) for rate in rates]
    factors = [f"{most / least:,.0f}" for least, most in (kept["working"][norm] for norm in ("batch", "none"))]
    rows.append(("largest to smallest in bold", *factors))
    conditions = (
        f"\n`{kept['dataset']}`, {kept['epochs']} epochs, mean over seeds: {kept['seeds']}, first block of {kept['width']} channels. "
        f"Bold: within {kept['close']:g} of the best. A training that diverged counts as a guess, {kept['guess']:.2f}.\n"
    )
    return _table(("learning rate", "with batch normalisation", "without"), rows) + conditions + _measured_on(kept)


def _reached(row: Any, working: Sequence[float]) -> str:
    """The mean accuracy, bold where the rate works, and how many trainings diverged."""
    diverged = row["accuracies"].count(None)
    if diverged == len(row["accuracies"]):
        return "diverged"
    mean = f"**{row['mean']:.4f}**" if working[0] <= row["rate"] <= working[1] else f"{row['mean']:.4f}"
    return f"{mean} ({diverged} diverged)" if diverged else mean


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
    for writer in (
        models,
        proof,
        published,
        ilsvrc,
        datasets,
        layouts,
        augmentations,
        views,
        optimizers,
        schedules,
        recipe,
        tasks,
        loggers,
        training_speed,
        zoo_speed,
        learning_rates,
        input_speed,
        layers,
        convolution_forms,
    )
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


def _sentence(member: Any) -> str:
    return " ".join((member.__doc__ or "").split("\n\n")[0].split())


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
