"""The rival: a plain PyTorch loop, put together as torchvision's classification reference does it.

DataLoader with two workers, Pillow, torchvision's transforms, float32, contiguous layout, cross-entropy, AdamW.
"""

import time
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import ImageFolder
from workloads import Workload

from neocog.data.open import open_dataset
from neocog.data.splits import make_splits
from neocog.models import create_model

__all__ = ["MEAN", "STD", "WORKERS", "photo_transform", "pictures", "time_steps", "train_plainly"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WORKERS = 2


class Arrays(Dataset[tuple[torch.Tensor, int]]):
    """Pictures in memory, given out through Pillow as torchvision.datasets.CIFAR10 and MNIST do."""

    def __init__(self, pixels: np.ndarray[Any, Any], labels: list[int], transform: Any) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def photo_transform(size: int) -> Any:
    """What torchvision's reference does to a training photo."""
    return transforms.Compose(
        [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )


def train_plainly(workload: Workload, folder: Path) -> dict[str, float]:
    """Train and time; the clock starts when small pictures are in memory and folders listed, and stops after the last step."""
    torch.manual_seed(0)
    dataset, classes, channels = pictures(workload, folder)

    def network() -> nn.Module:
        return create_model(workload.model, num_classes=classes, in_channels=channels, image_size=(workload.size, workload.size))

    return time_steps(dataset, network, nn.CrossEntropyLoss(), batch_size=workload.batch_size, epochs=workload.epochs)


def time_steps(
    dataset: Dataset[Any],
    network: Callable[[], nn.Module],
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    batch_size: int,
    epochs: int,
    rate: float = 1e-3,
    decay: float = 0.01,
) -> dict[str, float]:
    """Make a network and train it, with two workers that load, and AdamW.

    Args:
        dataset: gives images and what they are to become.
        network: makes it.
        criterion: of the network's answer and what the images are to become.
        batch_size: images per step.
        epochs: how often every image is seen.
        rate: of learning.
        decay: of the weights.
    """
    started = time.perf_counter()
    model = network().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=WORKERS)
    stepping = time.perf_counter()
    seen = 0
    for images, wanted in chain.from_iterable(repeat(loader, epochs)):
        optimizer.zero_grad()
        loss = criterion(model(images), wanted)
        loss.backward()
        optimizer.step()
        seen += len(images)
    ended = time.perf_counter()
    return {
        "pictures": seen,
        "seconds": ended - started,
        "images_per_second": seen / (ended - started),
        "steady": seen / (ended - stepping),
    }


def pictures(workload: Workload, folder: Path) -> tuple[Dataset[Any], int, int]:
    """The training pictures that neocog would take, the number of classes, and the channels."""
    dataset = open_dataset(workload.dataset)
    if workload.dataset == "hymenoptera":
        images = ImageFolder(str(folder / "hymenoptera" / "train"), photo_transform(workload.size))
        return images, len(images.classes), 3
    splits = make_splits(dataset, [dataset.digest(index) for index in range(len(dataset))], [], 0)
    rows = splits.train.tolist()
    classes = dataset.class_indices()
    if classes is None:
        raise TypeError(f"{workload.dataset} has no classes")
    labels = classes[splits.train].tolist()
    pixels = np.stack([dataset.picture(index).numpy() for index in rows])
    if dataset.channels == 1:
        transform = transforms.Compose([transforms.RandomCrop(28, 3), transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
        return Arrays(pixels[:, 0], labels, transform), len(dataset.class_names), 1
    steps = [transforms.RandomCrop(32, 4), transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return Arrays(pixels.transpose(0, 2, 3, 1).copy(), labels, transforms.Compose(steps)), len(dataset.class_names), 3
