"""What the benchmarks train: the same network on the same pictures for the same count of them."""

import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neocog.images import Size
from neocog.machine import data_folder

__all__ = ["PIXELS", "WORKLOADS", "PixelWorkload", "Workload", "cut_pictures", "prepare_data"]


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

    @property
    def choices(self) -> dict[str, Any]:
        """What `neocog.train` is asked for."""
        return {
            "model": self.model,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "image_size": (self.size, self.size),
            "learning_rate": 1e-3,
        }


WORKLOADS = {
    "lenet5-mnist": Workload("lenet5", "mnist", 0, 3, 128, 28, 2.0),
    "resnet20-cifar10": Workload("resnet20", "cifar10", 3000, 1, 128, 32, 1.9),
    "resnet18-cifar10": Workload("resnet18_cifar", "cifar10", 1000, 1, 128, 32, 2.8),
    "resnet18-photos": Workload("resnet18", "hymenoptera", 0, 4, 32, 224, 2.2),
}


@dataclass(frozen=True)
class PixelWorkload:
    """One training of a network that answers for every pixel, by a recipe, and predictions of networks like it.

    Attributes:
        recipe: file in recipes/, which says all that is not said here.
        parts: folders under NEOCOG_DATA, what to call them, and how many of their pictures to take.
        epochs: how often every picture is seen.
        batch_size: pictures, or patches, per step.
        channels: of the images.
        classes: how many there are; those of the images' channels for denoising.
        asked: folder under NEOCOG_DATA whose pictures are predicted.
        shown_at: heights and widths of the networks' inputs; None for pictures in their own pixels.
        train_goal: least ratio to the plain loop that is aimed at; None where none is.
        predict_goal: the same of predictions.
    """

    recipe: str
    parts: tuple[tuple[str, str, int], ...]
    epochs: int
    batch_size: int
    channels: int
    classes: int
    asked: str
    shown_at: tuple[Size | None, ...]
    train_goal: float | None = None
    predict_goal: float | None = None


PIXELS = {
    "camvid": PixelWorkload(
        recipe="camvid_unet.toml",
        parts=(
            ("CamVid/train", "train", 128),
            ("CamVid/trainannot", "trainannot", 128),
            ("CamVid/val", "val", 8),
            ("CamVid/valannot", "valannot", 8),
        ),
        epochs=2,
        batch_size=8,
        channels=3,
        classes=11,
        asked="CamVid/val",
        shown_at=((360, 480), (180, 240)),
        train_goal=2.0,
        predict_goal=3.0,
    ),
    "denoising": PixelWorkload(
        recipe="bsd_dncnn25.toml",
        parts=(("bsd/train", "train", 32), ("bsd/Set68", "val", 2)),
        epochs=1,
        batch_size=16,
        channels=1,
        classes=1,
        asked="bsd/Set68",
        shown_at=(None,),
    ),
}


def cut_pictures(workload: PixelWorkload, folder: Path, share: float = 1.0) -> Path:
    """A dataset with the first pictures of the workload's parts.

    Args:
        workload: says which.
        folder: takes it, by the name of its folder of origin.
        share: of the pictures that the workload names.
    """
    target = folder / workload.parts[0][0].partition("/")[0]
    for source, name, count in workload.parts:
        (target / name).mkdir(parents=True)
        for picture in sorted((data_folder() / source).iterdir())[: max(1, round(share * count))]:
            shutil.copy(picture, target / name)
    return target


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
