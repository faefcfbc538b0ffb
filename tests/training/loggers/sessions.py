"""Processes that log the epochs of one training, and what the log then holds, read by the package that it is for."""

import math
import struct
from pathlib import Path

from neocog.recipe import Recipe
from neocog.training.loggers import LOGGERS

__all__ = ["READERS", "RECIPE", "ROWS", "expected", "mlflow_run", "session"]

RECIPE = Recipe(dataset="digits", model="mlp", model_options={"widths": (12, 7)}, epochs=4, log=("tensorboard", "mlflow"))
ROWS = [
    {
        "epoch": epoch,
        "step": 6 * epoch,
        "learning_rate": 0.01 / epoch,
        "train/loss": math.exp(-epoch / 3),
        "val/accuracy": 1 - 0.5**epoch,
        "seconds": 0.7 + epoch,
    }
    for epoch in range(1, 5)
]
CURVES = ("learning_rate", "train/loss", "val/accuracy", "seconds")

Curves = dict[str, list[tuple[int, float]]]


def session(name, run, known, new, metrics=None):
    """One process: it knows some epochs at its beginning and trains others; without metrics it is killed then."""
    logger = LOGGERS[name].open()
    logger.begin(run, RECIPE, ROWS[:known])
    for epoch in new:
        logger.epoch(ROWS[epoch - 1])
    if metrics is not None:
        logger.end(metrics, 24)
        logger.close("finished")


def expected(name, *, best=False):
    """The curves of an unbroken training."""
    shown = READERS[name][1]
    curves = {curve: [(row["step"], shown(row[curve])) for row in ROWS] for curve in CURVES}
    return curves | ({"best/test/accuracy": [(24, shown(0.8))]} if best else {})


def tensorboard_curves(run: Path) -> Curves:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {name: [(event.step, event.value) for event in shown.Scalars(name)] for name in shown.Tags()["scalars"]}


def mlflow_run(run: Path, store: str | None = None):
    """The client, and the one MLflow run of all experiments in the store beside a run."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store or f"sqlite:///{run.parent / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (found,) = client.search_runs(experiments)
    return client, found


def mlflow_curves(run: Path) -> Curves:
    client, found = mlflow_run(run)
    histories = {name: client.get_metric_history(found.info.run_id, name) for name in found.data.metrics}
    return {name: sorted((metric.step, metric.value) for metric in history) for name, history in histories.items()}


def single(value: float) -> float:
    """The nearest number of 32 bits."""
    return struct.unpack("f", struct.pack("f", value))[0]


READERS = {"mlflow": (mlflow_curves, float), "tensorboard": (tensorboard_curves, single)}
"""For each log a function that reads its curves, and what becomes of a number in it."""
