"""A rival: timm's training script, at its defaults or at the flags that are fastest on a processor.

The script itself is not part of the package; what it calls is, and is called here in its order: create_loader
(workers, prefetcher, transforms), create_optimizer_v2, LabelSmoothingCrossEntropy, and the steps of its
train_one_epoch with the loss averaged after each. The network and the optimizer, AdamW, are those of the other sides.
The fastest flags: --channels-last --amp --amp-dtype bfloat16 --workers 2, and no colour jitter, which the other
sides do not have either. It leaves out an epoch's last, incomplete batch.
"""

import contextlib
import time
from pathlib import Path

import torch
from plain import MEAN, STD, WORKERS, pictures
from timm.data import create_loader
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.utils import AverageMeter
from workloads import Workload

from neocog.models import create_model

__all__ = ["train_with_timm"]

WORKERS_OF_THE_SCRIPT = 4


def train_with_timm(workload: Workload, folder: Path, *, best: bool) -> dict[str, float]:
    """Train and time as `plain.train_plainly` does.

    Args:
        best: whether at the fastest flags, else at the script's defaults.
    """
    torch.manual_seed(42)
    dataset, classes, channels = pictures(workload, folder)
    started = time.perf_counter()
    size = (workload.size, workload.size)
    model = create_model(workload.model, num_classes=classes, in_channels=channels, image_size=size)
    if best:
        model = model.to(memory_format=torch.channels_last)
    loader = create_loader(
        dataset,
        (channels, *size),
        workload.batch_size,
        is_training=True,
        color_jitter=None if best else 0.4,
        interpolation="random",
        mean=MEAN[:channels],
        std=STD[:channels],
        num_workers=WORKERS if best else WORKERS_OF_THE_SCRIPT,
        device=torch.device("cpu"),
    )
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=0.01)
    criterion = LabelSmoothingCrossEntropy(0.1)
    stepping = time.perf_counter()
    seen = 0
    for _ in range(workload.epochs):
        model.train()
        losses = AverageMeter()
        for images, labels in loader:
            if best:
                images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16) if best else contextlib.nullcontext():
                loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.update(loss.item(), len(labels))
            seen += len(labels)
    ended = time.perf_counter()
    return {
        "pictures": seen,
        "seconds": ended - started,
        "images_per_second": seen / (ended - started),
        "steady": seen / (ended - stepping),
    }
