"""Input of 12-megapixel photos from the second epoch on, against Pillow and torchvision's transforms.

    uv run python benchmarks/input.py [--repeats 5] [--out docs/benchmarks/input.json]

The photos are real ones, enlarged to 4000x3000 and saved as JPEG of quality 90. Both sides end with the same
kind of batch: a random resized crop to 224 pixels, mirrored at random, float32, normalised. The rival decodes
every photo anew in each epoch, with two DataLoader workers; neocog has kept the canvases of its first epoch.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from kept import keep, measured_on
from PIL import Image
from plain import WORKERS, photo_transform
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from neocog.augment import AUGMENTATIONS, augment
from neocog.data.loader import Loader, order
from neocog.data.open import open_dataset
from neocog.data.pixels import gather
from neocog.machine import data_folder
from neocog.models import MODELS

PHOTOS = 48
SIZE = (3000, 4000)
BATCH = 16
GOAL = 20.0


def main() -> None:
    """Measure both sides in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _make_photos(Path(folder))
        first, loader = _first_epoch(Path(folder))
        rival, ours = [], []
        for epoch in range(arguments.repeats):
            rival.append(_rival_epoch(Path(folder)))
            ours.append(_later_epoch(loader, epoch + 1))
    ratio = statistics.median(theirs / own for theirs, own in zip(rival, ours, strict=True))
    result = {
        **measured_on(),
        "photos": PHOTOS,
        "pillow_and_torchvision_seconds": statistics.median(rival),
        "neocog_first_epoch_seconds": first,
        "neocog_later_epoch_seconds": statistics.median(ours),
        "ratio": ratio,
        "goal": GOAL,
    }
    print(f"input of 12-megapixel photos: {ratio:.0f} times Pillow and torchvision from the second epoch on (goal {GOAL:.0f})")
    if arguments.out:
        keep(arguments.out, result)


def _make_photos(folder: Path) -> None:
    sources = sorted((data_folder() / "hymenoptera" / "train").glob("*/*.jpg"))
    for index, source in enumerate(sources[:: len(sources) // PHOTOS][:PHOTOS]):
        target = folder / source.parent.name / f"{index}.jpg"
        target.parent.mkdir(exist_ok=True)
        with Image.open(source) as image:
            image.convert("RGB").resize(SIZE[::-1], Image.Resampling.BICUBIC).save(target, quality=90)


def _first_epoch(folder: Path) -> tuple[float, Loader]:
    started = time.perf_counter()
    dataset = open_dataset(folder)
    gathered = gather(dataset, canvas=MODELS["resnet18"].preprocess.resize, channels=3)
    return time.perf_counter() - started, Loader(dataset, gathered, 3)


def _later_epoch(loader: Loader, epoch: int) -> float:
    preprocess = MODELS["resnet18"].preprocess
    members: dict[str, Any] = {name: AUGMENTATIONS[name].Options() for name in ("random_resized_crop", "flip")}
    started = time.perf_counter()
    for step, rows in enumerate(order(PHOTOS, 0, epoch).split(BATCH)):
        batch = augment(loader.batch(rows), members, fit="crop", size=preprocess.size, seed=0, epoch=epoch, step=step)
        preprocess.normalise(batch.images)
    return time.perf_counter() - started


def _rival_epoch(folder: Path) -> float:
    torch.manual_seed(0)
    loader = DataLoader(ImageFolder(str(folder), photo_transform(224)), batch_size=BATCH, shuffle=True, num_workers=WORKERS)
    started = time.perf_counter()
    for _images, _labels in loader:
        pass
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
