"""What the benchmarks train: the same network on the same pictures for the same count of them."""

import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neocog.machine import data_folder

__all__ = ["WORKLOADS", "Workload", "prepare_data"]


@dataclass(frozen=True)
class Workload:
    """One training.

    Attributes:
        model: architecture.
        dataset: a name under NEOCOG_DATA.
        per_batch_file: pictures kept of each of CIFAR's five training files; 0 for all.
        epochs: how often every picture is seen.
        batch_size: pictures per step.
        size: side of the network's input in pixels.
        goal: least ratio to the plain loop that is aimed at.
    """

    model: str
    dataset: str
    per_batch_file: int
    epochs: int
    batch_size: int
    size: int
    goal: float


WORKLOADS = {
    "lenet5-mnist": Workload("lenet5", "mnist", 0, 3, 128, 28, 2.0),
    "resnet20-cifar10": Workload("resnet20", "cifar10", 3000, 1, 128, 32, 1.9),
    "resnet18-cifar10": Workload("resnet18_cifar", "cifar10", 1000, 1, 128, 32, 2.8),
    "resnet18-photos": Workload("resnet18", "hymenoptera", 0, 4, 32, 224, 2.2),
}


def prepare_data(workload: Workload, folder: Path) -> Path:
    """A folder to set NEOCOG_DATA to, with the workload's dataset in its published form, cut down where the workload says so."""
    source = data_folder()
    if not workload.per_batch_file:
        return source
    target = folder / "cifar-10-batches-py"
    target.mkdir(parents=True, exist_ok=True)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        # The person's own copy of the published files, which neocog's own reader has read before.
        batch = pickle.loads((source / "cifar-10-batches-py" / name).read_bytes(), encoding="bytes")  # noqa: S301
        kept = workload.per_batch_file if name != "test_batch" else 200
        cut = {key: value[:kept] if isinstance(value, list | np.ndarray) else value for key, value in batch.items()}
        (target / name).write_bytes(pickle.dumps(cut, protocol=2))
    shutil.copy(source / "cifar-10-batches-py" / "batches.meta", target)
    return folder
