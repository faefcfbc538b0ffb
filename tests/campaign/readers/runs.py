"""The files of a run, one of which is not as the training wrote it."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from campaign.case import Case, Reader, Wrong
from campaign.mutations import mutated
from campaign.trees import write_tree
from campaign.values import csv_text, json_text, toml_text

__all__ = ["READERS", "finished_run", "write_run"]

TRAINING = {"model": "softmax_regression", "epochs": 2, "speed": "exact", "progress": False, "augment": ("flip",), "ema": 0.5}


@cache
def finished_run() -> dict[str, bytes]:
    """The files of a small run that has ended."""
    import neocog

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        neocog.train("digits", out=run, **TRAINING)
        return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def write_run(case: Case, changed: dict[str, bytes | None]) -> None:
    """The run below the case's `given`, some files of it changed or left out."""
    files = {**finished_run(), **changed}
    write_tree(case.given / "run", {name: content for name, content in files.items() if content is not None})


def _writer(name: str, change: Callable[[str, Random], bytes]) -> Callable[[Case], None]:
    """Writes the run with one file changed in its structure, damaged as bytes, or, rarely, whole or missing."""

    def write(case: Case) -> None:
        random = case.random
        content: bytes | None = finished_run()[name]
        if random.random() < 0.02:
            content = None
        elif random.random() < 0.6:
            content = change(content.decode(), random)
        else:
            content = mutated(content, random)
        write_run(case, {name: content, "manifest.json": None} if name != "manifest.json" and random.random() < 0.3 else {name: content})

    return write


def _json(text: str, random: Random) -> bytes:
    return json_text(json.loads(text), random)


def _json_lines(text: str, random: Random) -> bytes:
    lines = text.encode().splitlines()
    place = random.randrange(len(lines))
    lines[place] = json_text(json.loads(lines[place]), random)
    return b"\n".join(lines) + random.choice((b"\n", b"\n", b""))


def _table(text: str, random: Random) -> bytes:
    rows = list(csv.reader(io.StringIO(text)))
    return csv_text(rows if random.random() < 0.3 else rows[: random.choice((1, 2, 20))], random)


def _reader(ask: Callable[[Any, Case], None]) -> Callable[[Case], None]:
    """Asks for one file, then for all that needs it."""

    def read(case: Case) -> None:
        from neocog.run import RunFolder, load_run
        from neocog.training.train import result_of

        folder = RunFolder.open(case.given / "run")
        ask(folder, case)
        json.dumps(result_of(folder).to_dict())
        load_run(folder)

    return read


def _recipe(folder: Any, case: Case) -> None:
    from neocog.recipe import read_recipe, recipe_to_toml

    recipe = folder.recipe()
    text = recipe_to_toml(recipe)
    place = case.own / "recipe.toml"
    place.write_text(text, encoding="utf-8")
    if recipe_to_toml(read_recipe(place)) != text:
        raise Wrong("a recipe that does not read back")


def _plan(folder: Any, case: Case) -> None:
    from neocog.engine import obeying

    plan = folder.plan()
    if plan is None:
        return
    plan.describe()
    if plan.possible_here and plan.threads <= 64:
        with obeying(plan):
            pass
    elif plan.threads > 4096:
        raise Wrong(f"{plan.threads} threads")


def _splits(folder: Any, case: Case) -> None:
    from neocog.data.splits import read_splits, recorded_pictures

    path = folder.require("splits.csv")
    dataset, digests = _digits()
    recorded_pictures(path, ["train", "val"])
    splits = read_splits(path, dataset, digests)
    indices = [*splits.train.tolist(), *splits.val.tolist(), *splits.test.tolist()]
    if len(set(indices)) + len(splits.set_aside) != len(dataset):
        raise Wrong(f"{len(indices)} pictures in splits, {len(splits.set_aside)} set aside, of {len(dataset)}")


@cache
def _digits() -> tuple[Any, list[bytes]]:
    from neocog.data.open import open_dataset

    dataset: Any = open_dataset("digits")
    return dataset, dataset.digests()


def _metrics(folder: Any, case: Case) -> None:
    json.dumps(folder.metrics())


def _log(folder: Any, case: Case) -> None:
    from neocog.run import RunFolder

    json.dumps(folder.events())
    copy = RunFolder(Path(shutil.copytree(folder.path, case.own / "run")))
    copy.cut_back(case.random.choice((0, 3, 100)), copy.metrics())
    copy.events()
    copy.log("again", step=3)


def _manifest(folder: Any, case: Case) -> None:
    import neocog
    from neocog.run import RunFolder

    folder.manifest()
    folder.verify()
    json.dumps(neocog.open_run(folder.path).metrics)
    copy = RunFolder(Path(shutil.copytree(folder.path, case.own / "run")))
    copy.renew_hash("predictions.parquet")


READERS = tuple(
    Reader(name, _writer(name, change), _reader(ask))
    for name, change, ask in (
        ("recipe.toml", toml_text, _recipe),
        ("plan.json", _json, _plan),
        ("splits.csv", _table, _splits),
        ("metrics.csv", _table, _metrics),
        ("log.jsonl", _json_lines, _log),
        ("manifest.json", _json, _manifest),
    )
)
