"""A run in an MLflow store."""

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neocog.files import write_json
from neocog.recipe import Recipe
from neocog.run.folder import MLFLOW
from neocog.training.loggers.member import BEST, LOGGERS, Ending, LoggerMember, points

__all__ = ["MLflow", "store"]

STORE = "mlflow.db"
EXPERIMENT = "neocog"
TAG = "neocog.run"  # of the MLflow run: what RUN/mlflow.json holds
STATUS: dict[Ending, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


def store(folder: Path) -> str:
    """Address of the store: what MLFLOW_TRACKING_URI names, else a SQLite file that all runs beside this one share.

    Args:
        folder: of the run.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(folder.resolve().parent / STORE).as_posix()}"


class MLflow:
    """Metrics over the step, and the recipe's fields as parameters.

    A store takes nothing back. So an epoch that it holds is not written again: trained anew after a kill, it is the
    same to the last bit. The MLflow run is found by a mark that the run's folder keeps; where the store does not
    know it, as after the folder was moved to another machine, a new one gets all epochs.
    """

    def __init__(self) -> None:
        self._folder = Path()
        self._recipe = Recipe()
        self._client: Any = None
        self._experiment = ""
        self._run: str | None = None
        self._held: set[tuple[str, int]] = set()

    def begin(self, folder: Path, recipe: Recipe, rows: Sequence[Mapping[str, float]]) -> None:
        """See Logger."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # else MLflow reports its use to its makers
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # else it says that it makes its tables
        from mlflow import MlflowClient

        self._folder, self._recipe = folder, recipe
        self._client = MlflowClient(tracking_uri=store(folder))
        self._experiment = self._experiment_of(os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)
        self._run = self._known_run()
        self._held = set() if self._run is None else self._taken_up(self._run)
        for row in rows:
            self.epoch(row)

    def epoch(self, row: Mapping[str, float]) -> None:
        """See Logger."""
        self._write(points(row), int(row["step"]))

    def end(self, metrics: Mapping[str, float], step: int) -> None:
        """See Logger."""
        self._write({BEST + name: value for name, value in metrics.items()}, step)

    def close(self, ending: Ending) -> None:
        """See Logger."""
        client, self._client = self._client, None
        if client is not None and self._run is not None:
            client.set_terminated(self._run, STATUS[ending])

    def _write(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        if self._run is None:  # not before there is something to write: a run without an epoch may be begun anew
            self._run = self._new_run()
        now = round(time.time() * 1000)
        new = {(name, step): Metric(name, value, now, step) for name, value in values.items() if (name, step) not in self._held}
        if new:
            self._client.log_batch(self._run, metrics=list(new.values()))
            self._held |= new.keys()

    def _experiment_of(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        return str(known.experiment_id if known is not None else self._client.create_experiment(name))

    def _known_run(self) -> str | None:
        """Of this run's mark; None where the store has none."""
        path = self._folder / MLFLOW
        if not path.exists():
            return None
        mark = json.loads(path.read_text(encoding="utf-8"))[TAG]
        found = self._client.search_runs([self._experiment], f"tags.`{TAG}` = '{mark}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def _taken_up(self, run: str) -> set[tuple[str, int]]:
        """Go on with a run of the store; the names and steps of what it holds."""
        self._client.update_run(run, status="RUNNING")
        data = self._client.get_run(run).data
        if not data.params:
            self._write_parameters(run)
        return {(name, metric.step) for name in data.metrics for metric in self._client.get_metric_history(run, name)}

    def _new_run(self) -> str:
        mark = uuid.uuid4().hex
        write_json(self._folder / MLFLOW, {TAG: mark})  # first: a run that nothing leads to would be written twice
        made = self._client.create_run(self._experiment, run_name=self._folder.resolve().name, tags={TAG: mark})
        self._write_parameters(made.info.run_id)
        return str(made.info.run_id)

    def _write_parameters(self, run: str) -> None:
        from mlflow.entities import Param

        self._client.log_batch(run, params=[Param(name, text) for name, text in _parameters(self._recipe).items()])


def _parameters(recipe: Recipe) -> dict[str, str]:
    """The recipe's fields as texts, those of its tables by the table's name before their own."""
    found: dict[str, str] = {}
    for name, value in asdict(recipe).items():
        if isinstance(value, Mapping):
            found |= {f"{name.removesuffix('_options')}.{key}": str(item) for key, item in value.items()}
        else:
            found[name] = str(value)
    return found


LOGGERS.add(
    "mlflow",
    LoggerMember(MLflow, ("mlflow", "sqlalchemy", "alembic"), "metrics and recipe in RUN/../mlflow.db, or where MLFLOW_TRACKING_URI says"),
)
