"""A rival: fastai's Learner, at its defaults or at what is fastest on a processor.

Defaults: its vision data loaders with RandomResizedCrop and aug_transforms for photos, as its guide to vision has
them, its Adam and its Learner. Fastest: its ChannelsLast callback, the whole under torch's bfloat16 autocast (its own
mixed precision addresses CUDA alone), and of the transforms only those of the other sides. Validation is left
out, as on all sides; so is an epoch's last, incomplete batch.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.vision.all import (
    Callback,
    CancelValidException,
    Categorize,
    CropPad,
    CrossEntropyLossFlat,
    Datasets,
    Flip,
    ImageDataLoaders,
    IntToFloatTensor,
    Learner,
    Normalize,
    PILImage,
    PILImageBW,
    RandomCrop,
    RandomResizedCrop,
    ToTensor,
    aug_transforms,
)
from plain import MEAN, STD, pictures
from workloads import Workload

from neocog.models import create_model

__all__ = ["train_with_fastai"]


class TrainingAlone(Callback):
    """Counts the pictures of the steps, and leaves validation out."""

    seen = 0

    def before_validate(self) -> None:
        """At the end of an epoch."""
        raise CancelValidException

    def after_batch(self) -> None:
        """At the end of a step."""
        self.seen += len(self.yb[0])


def train_with_fastai(workload: Workload, folder: Path, *, best: bool) -> dict[str, float]:
    """Train and time as `plain.train_plainly` does.

    Args:
        best: whether at what is fastest, else at the defaults.
    """
    torch.manual_seed(0)
    loaders, classes, channels = _loaders(workload, folder, best=best)
    started = time.perf_counter()
    model = create_model(workload.model, num_classes=classes, in_channels=channels, image_size=(workload.size, workload.size))
    counted = TrainingAlone()
    learner = Learner(loaders, model, loss_func=CrossEntropyLossFlat(), cbs=[counted, *([ChannelsLast()] if best else [])])
    stepping = time.perf_counter()
    with learner.no_bar(), learner.no_logging(), torch.autocast("cpu", torch.bfloat16) if best else contextlib.nullcontext():
        learner.fit(workload.epochs, 1e-3)
    ended = time.perf_counter()
    return {
        "pictures": counted.seen,
        "seconds": ended - started,
        "images_per_second": counted.seen / (ended - started),
        "steady": counted.seen / (ended - stepping),
    }


def _loaders(workload: Workload, folder: Path, *, best: bool) -> tuple[Any, int, int]:
    """Its loaders of the training pictures, the number of classes, and the channels."""
    size, batch = workload.size, workload.batch_size
    if workload.dataset == "hymenoptera":
        changes = [Flip()] if best else aug_transforms()
        crop = RandomResizedCrop(size, min_scale=0.08)
        normal = Normalize.from_stats(MEAN, STD, cuda=False)
        root = folder / "hymenoptera"
        loaders = ImageDataLoaders.from_folder(root, train="train", valid="val", bs=batch, item_tfms=crop, batch_tfms=[*changes, normal])
        return loaders, len(loaders.vocab), 3
    dataset: Any
    dataset, classes, channels = pictures(workload, folder)
    kind = PILImageBW if channels == 1 else PILImage
    rows = list(range(len(dataset)))
    sets = Datasets(
        rows,
        [[lambda row: kind.create(dataset.pixels[row])], [lambda row: dataset.labels[row], Categorize(vocab=list(range(classes)))]],
        splits=(rows, rows[:batch]),
    )
    changes = [] if channels == 1 else [Flip()] if best else aug_transforms()
    loaders = sets.dataloaders(
        bs=batch,
        after_item=[CropPad(size + size // 4), RandomCrop(size), ToTensor()],
        after_batch=[IntToFloatTensor(), *changes, Normalize.from_stats(MEAN[:channels], STD[:channels], cuda=False)],
    )
    return loaders, classes, channels
