"""The files of a run, each written whole or not at all.

recipe.toml          every choice, complete
learning_rate.png    where the rate was found by a trial: the loss over the rate; learning_rate.csv: the same in numbers
splits.csv           which picture is in which split, and which were set aside
plan.json            how it is computed
metrics.csv          a row for each epoch
profile.json         where the time of the epochs went, where that was asked for
log.jsonl            events: probe, warnings, pictures set aside, resumptions
tensorboard/         where the recipe asks for it: event files for TensorBoard
mlflow.json          likewise: the mark by which an MLflow store knows the run
weights.safetensors  the best weights so far, with class names and preprocessing
checkpoint/          the full state, for resume
predictions.parquet  of the split evaluated last
linear_probes.png    where they were asked for: the accuracy of a linear probe after each stage; linear_probes.json: the same in numbers
explain/             where they were asked for: what was found over many pictures, kept so that it need not be looked for again
manifest.json        written last: versions, machine, licences, hashes of the files above
"""

import contextlib
import csv
import hashlib
import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import filelock

from neocog.engine.plan import Plan, read_plan
from neocog.errors import RecipeError, RunError, SurroundingsError, UsageError
from neocog.files import PART, write_atomically, write_json
from neocog.recipe import OPEN, Recipe, read_recipe, recipe_to_toml

__all__ = [
    "CHECKPOINTS",
    "CURVE",
    "CURVE_VALUES",
    "EXPLAIN",
    "MANIFEST",
    "METRICS",
    "MLFLOW",
    "PLAN",
    "PREDICTIONS",
    "PROFILE",
    "RECIPE",
    "RESTORE",
    "SPLITS",
    "TENSORBOARD",
    "WEIGHTS",
    "RunFolder",
]

RECIPE, SPLITS, PLAN = "recipe.toml", "splits.csv", "plan.json"
METRICS, LOG, WEIGHTS = "metrics.csv", "log.jsonl", "weights.safetensors"
PROFILE = "profile.json"
CURVE, CURVE_VALUES = "learning_rate.png", "learning_rate.csv"
CHECKPOINTS, PREDICTIONS, MANIFEST = "checkpoint", "predictions.parquet", "manifest.json"
EXPLAIN = "explain"
TENSORBOARD, MLFLOW = "tensorboard", "mlflow.json"
LOCK = ".lock"  # every run of ours has it, from before its first file
RESTORE = "restore it from a copy of the run"
ELSEWHERE, WRITABLE = "choose another place with --out", "free some space, or make the folder writable"
RESULTS = (RECIPE, SPLITS, PLAN, METRICS, WEIGHTS, PREDICTIONS)
"""What the manifest gives the hashes of."""


class RunFolder:
    """Reads and writes the files of one run.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made_here = False

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new run in an empty folder, or in that of a run of ours where no step was done yet.

        Raises:
            UsageError: the folder holds something else, or a training that has begun.
            SurroundingsError: the folder cannot be made, or another process writes to it.
        """
        run = cls(path)
        run._made_here = not path.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(path, error, ELSEWHERE) from error
        if (path / LOCK).exists():
            with run.locked():  # another training that is at it now comes before what the folder holds
                pass
        run.require_new()
        return run

    def start_over(self) -> None:
        """Take away what a training left that was stopped before its first step, so that nothing of it is taken for this one's.

        Its recipe stays until this one's takes its place. To be called with the lock held.
        """
        for name in (SPLITS, PLAN, LOG, CURVE, CURVE_VALUES):
            (self.path / name).unlink(missing_ok=True)

    def require_new(self) -> None:
        """Check that a training may begin here: files that a stopped one leaves are no hindrance where a run of ours was.

        Raises:
            UsageError: the folder holds something else, or a training that has begun.
        """
        present = {entry.name for entry in self.path.iterdir() if not (entry.name.startswith(".") and entry.name.endswith(PART))}
        left = {LOCK, RECIPE, SPLITS, PLAN, LOG, CHECKPOINTS, CURVE, CURVE_VALUES} if LOCK in present else set()
        if present - left or self.begun:
            resumable = RECIPE in present and present & {LOCK, METRICS, CHECKPOINTS}
            remedy = f"neocog resume {self.path}, or choose another folder" if resumable else "choose another folder"
            raise UsageError("a new or empty folder for the run", f"{self.path}, which holds {', '.join(sorted(present)[:4])}", remedy)

    def leave_no_trace(self) -> None:
        """Take the run away if nothing was written of it: its lock, and the folder where it was made for it.

        To be called with the lock held.
        """
        with contextlib.suppress(OSError):  # some systems keep a file that is open; an empty run does no harm
            if {entry.name for entry in self.path.iterdir()} == {LOCK}:
                (self.path / LOCK).unlink()
                if self._made_here:
                    self.path.rmdir()

    @classmethod
    def create_next(cls, stem: Path) -> "RunFolder":
        """A new run in the first of the folders STEM-1, STEM-2, … that is not there yet.

        Raises:
            SurroundingsError: the folder cannot be made.
        """
        for number in itertools.count(1):
            path = stem.with_name(f"{stem.name}-{number}")
            try:
                path.mkdir(parents=True)  # it fails where another training was quicker
            except FileExistsError:
                continue
            except OSError as error:
                raise _not_writable(path, error, ELSEWHERE) from error
            run = cls(path)
            run._made_here = True
            return run
        raise AssertionError("there is always a next number")

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """A run that is there.

        Raises:
            UsageError: there is no such folder.
            RunError: it is not a run.
        """
        if not path.is_dir():
            raise UsageError(
                "the folder of a run", f"{path}, which is not there" if not path.exists() else f"{path}, a file", "check the path"
            )
        if not (path / RECIPE).is_file():
            raise RunError(f"a run: a folder with {RECIPE}", f"{path} without it", "give the folder that neocog train named at its end")
        return cls(path)

    @property
    def begun(self) -> bool:
        """Whether a step was done: a checkpoint is there."""
        return any((self.path / CHECKPOINTS).glob("*.safetensors"))

    @property
    def finished(self) -> bool:
        """Whether the training reached its end."""
        return (self.path / MANIFEST).is_file()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing to the run; the operating system lets go when this one dies.

        Raises:
            SurroundingsError: another process writes to it.
        """
        lock = filelock.FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            expected, remedy = "a run that no other process writes to", "wait for the other training, or stop it"
            raise SurroundingsError(expected, f"{self.path}, which is locked", remedy) from None
        except OSError as error:
            raise _not_writable(self.path, error, WRITABLE) from error
        try:
            self._clear_parts()
            yield
        finally:
            lock.release()

    def require(self, name: str) -> Path:
        """The path of one of the run's files.

        Raises:
            RunError: it is not there.
        """
        path = self.path / name
        if not path.is_file():
            raise RunError(
                f"{name} in the run", f"{self.path} without it", f"neocog resume {self.path}" if self._is_to_come(name) else RESTORE
            )
        return path

    def _is_to_come(self, name: str) -> bool:
        """Whether a file that is not there has not been written yet."""
        if self.finished or not (self.path / RECIPE).is_file():
            return False
        return not ((name == WEIGHTS and self.metrics()) or (name == SPLITS and self.begun))

    def recipe(self) -> Recipe:
        """The run's recipe, in which nothing is left open.

        Raises:
            RunError: it is missing or cut short.
        """
        path = self.require(RECIPE)
        try:
            recipe = read_recipe(path)
        except RecipeError as error:
            raise RunError(f"a whole {RECIPE}", error.found, RESTORE) from error
        lacking = [item.name for item in fields(Recipe) if item.name not in OPEN and getattr(recipe, item.name) in (None, "")]
        if lacking:
            raise RunError(f"a whole {RECIPE}", f"{path} without {lacking[0]}", RESTORE)
        return recipe

    def write_recipe(self, recipe: Recipe) -> None:
        """Write recipe.toml."""
        write_atomically(self.path / RECIPE, recipe_to_toml(recipe).encode())

    def plan(self) -> Plan | None:
        """The run's plan; None when it was stopped before there was one."""
        path = self.path / PLAN
        return read_plan(path) if path.exists() else None

    def write_plan(self, plan: Plan) -> None:
        """Write plan.json."""
        write_json(self.path / PLAN, plan.to_dict())

    def metrics(self) -> list[dict[str, float]]:
        """The rows of metrics.csv, one for each epoch.

        Raises:
            RunError: it is cut short, or a cell is not a number; or the training has ended and it is missing.
        """
        path = self.require(METRICS) if self.finished else self.path / METRICS
        if not path.exists():
            return []
        try:
            text = path.read_text(encoding="utf-8")
            if not text.endswith("\n"):
                raise RunError(f"a whole {METRICS}", f"{path}, cut short", RESTORE)
            return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(io.StringIO(text))]
        except (ValueError, TypeError, csv.Error) as error:
            raise RunError(f"numbers in {METRICS}", f"{path}: {error}", RESTORE) from error

    def write_metrics(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write metrics.csv; columns in the order of their first appearance."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: repr(value) for name, value in row.items()})
        write_atomically(self.path / METRICS, text.getvalue().encode())

    def write_profile(self, profile: Mapping[str, Any]) -> None:
        """Write profile.json."""
        write_json(self.path / PROFILE, profile)

    def profile(self) -> dict[str, Any] | None:
        """What profile.json says: seconds by part, under "epochs" and "total", and "shares"; None where nothing was measured.

        Raises:
            RunError: it is damaged.
        """
        path = self.path / PROFILE
        if not path.exists():
            return None
        with contextlib.suppress(ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict) and {"epochs", "total", "shares"} <= found.keys():
                return found
        raise RunError(f"a whole {PROFILE}", f"{path}, damaged", f"take {PROFILE} away, nothing else needs it")

    def log(self, event: str, *, step: int = 0, **facts: Any) -> None:
        """Append an event to log.jsonl.

        Raises:
            SurroundingsError: the disk is full, or the folder cannot be written to.
        """
        try:
            with (self.path / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"event": event, "step": step, **facts}, default=str) + "\n")
        except OSError as error:
            raise _not_writable(self.path, error, WRITABLE) from error

    def events(self) -> list[dict[str, Any]]:
        """The events of log.jsonl; a line that is no event, as a last one that a kill cut short, is left out."""
        path = self.path / LOG
        found = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
            with contextlib.suppress(ValueError, RecursionError):
                event = json.loads(line)
                if isinstance(event, dict):
                    found.append(event)
        return found

    def cut_back(self, step: int, rows: Sequence[Mapping[str, float]]) -> None:
        """Take away what was recorded after a checkpoint: it will happen again.

        Args:
            step: of the checkpoint; later events leave log.jsonl.
            rows: that metrics.csv had then.
        """
        kept = [event for event in self.events() if _step_of(event) <= step]
        write_atomically(self.path / LOG, "".join(json.dumps(event) + "\n" for event in kept).encode())
        if rows:
            self.write_metrics(rows)
        else:
            (self.path / METRICS).unlink(missing_ok=True)

    def write_manifest(self, facts: Mapping[str, Any]) -> None:
        """Write manifest.json: the given facts, and the SHA-256 of each result."""
        hashes = {name: file_hash(self.path / name) for name in RESULTS if (self.path / name).is_file()}
        write_json(self.path / MANIFEST, {**facts, "files": hashes})

    def renew_hash(self, name: str) -> None:
        """After a result of a finished run was written anew: bring its hash in the manifest up to date."""
        facts = self.manifest()
        facts["files"][name] = file_hash(self.path / name)
        write_json(self.path / MANIFEST, facts)

    def manifest(self) -> dict[str, Any]:
        """The facts of manifest.json.

        Raises:
            RunError: it is not there (the training has not ended) or is damaged.
        """
        path = self.require(MANIFEST)
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise RunError(f"JSON in {MANIFEST}", f"{path}: {error}", RESTORE) from error
        for name in ("metrics", "files"):
            if not isinstance(facts, dict) or not isinstance(facts.get(name), dict):
                raise RunError(f"a table of {name} in {MANIFEST}", f"{path} without it", RESTORE)
        if not all(isinstance(value, int | float) for value in facts["metrics"].values()):
            raise RunError(f"numbers as metrics in {MANIFEST}", f"{path} with others", RESTORE)
        return dict(facts)

    def verify(self) -> None:
        """Check the weights of a finished run against the manifest.

        Raises:
            RunError: they are missing, cut short or changed.
        """
        weights = self.require(WEIGHTS)
        if self.finished:
            expected = self.manifest()["files"].get(WEIGHTS)
            if expected is not None and file_hash(weights) != expected:
                raise RunError(f"the {WEIGHTS} that the training wrote", f"{weights}, cut short or changed", RESTORE)

    def _clear_parts(self) -> None:
        for folder in (self.path, self.path / CHECKPOINTS, self.path / Path(PREDICTIONS).stem):
            for leftover in folder.glob(f".*{PART}"):
                leftover.unlink(missing_ok=True)


def _step_of(event: Mapping[str, Any]) -> float:
    """At which step it was recorded; 0 where the line does not say."""
    step = event.get("step")
    return step if isinstance(step, int | float) else 0


def file_hash(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_writable(path: Path, error: OSError, remedy: str) -> SurroundingsError:
    return SurroundingsError("a folder to write the run to", f"{path}: {error.strerror}", remedy)
