"""Folders for tasks that answer for every pixel: pictures and masks, clean and noisy pairs, clean pictures."""

import io
from collections.abc import Callable
from random import Random
from typing import Any

from campaign.case import Case, Reader, Wrong
from campaign.trees import disturb, write_tree

__all__ = ["READERS"]

CLASSES = b"name,red,green,blue\nground,0,0,0\ncell,255,0,0\nvoid,0,0,255\n"
COLOURS = ((0, 0, 0), (255, 0, 0), (0, 0, 255))
PICTURES = 8


def _png(random: Random, size: tuple[int, int], colours: tuple[Any, ...] | None = None, mode: str = "RGB") -> bytes:
    """A picture of noise, or of a few colours or numbers."""
    from PIL import Image

    image = Image.new(mode, size)
    channels = len(image.getbands())
    noise = (tuple(random.randrange(256) for _ in range(channels)) for _ in range(size[0] * size[1]))
    values = [random.choice(colours) for _ in range(size[0] * size[1])] if colours else [v if channels > 1 else v[0] for v in noise]
    image.putdata(values)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _masks(random: Random) -> dict[str, bytes]:
    coloured = random.random() < 0.5
    files = {"classes.csv": CLASSES} if coloured else {}
    for number in range(PICTURES):
        size = (random.choice((6, 9)), random.choice((6, 8)))
        files[f"images/{number}.png"] = _png(random, size)
        files[f"masks/{number}.png"] = _png(random, size, COLOURS) if coloured else _png(random, size, (0, 1, 2, 255), "L")
    return files


def _pairs(random: Random) -> dict[str, bytes]:
    sizes = [(random.choice((6, 9)), random.choice((6, 8))) for _ in range(PICTURES)]
    return {f"{side}/{number}.png": _png(random, size) for number, size in enumerate(sizes) for side in ("clean", "noisy")}


def _clean(random: Random) -> dict[str, bytes]:
    return {f"photos/{number}.png": _png(random, (8, 7), mode=random.choice(("L", "RGB"))) for number in range(PICTURES)}


def _write(files: Callable[[Random], dict[str, bytes]]) -> Callable[[Case], None]:
    def write(case: Case) -> None:
        write_tree(case.given / "data", files(case.random))
        if case.random.random() > 0.05:
            disturb(case.given / "data", case.random)

    return write


def _read(task: str) -> Callable[[Case], None]:
    """Read all that a training asks for before its first step; what is recorded must read back."""

    def read(case: Case) -> None:
        import torch

        from neocog.batch import Preprocess
        from neocog.data.open import open_dataset
        from neocog.data.splits import make_splits, read_splits, require_trainable, write_splits
        from neocog.evaluation import read_material
        from neocog.progress import Silent
        from neocog.tasks import TASKS

        dataset = open_dataset(case.given / "data", task=task)
        require_trainable(dataset)
        kind = TASKS[task]
        allow_bad = case.random.random() < 0.3
        preprocess = Preprocess((8, 8), (8, 8))
        material = read_material(dataset, kind(kind.Options(), dataset.class_names), preprocess, allow_bad=allow_bad, progress=Silent())
        splits = make_splits(dataset, material.digests, material.faults, seed=0)
        record = case.own / "splits.csv"
        write_splits(record, splits, dataset, material.digests)
        again = read_splits(record, dataset, material.digests)
        if not all(torch.equal(splits.of(name), again.of(name)) for name in ("train", "val", "test")):
            raise Wrong("the splits that were recorded are others")
        for row in splits.train.tolist():
            batch = material.loader.batch(torch.tensor([row]))
            if batch.targets is None or batch.pixels.shape[0] != 1:
                raise Wrong(f"no target for {dataset.where(row)}")

    return read


READERS = (
    Reader("pictures and masks", _write(_masks), _read("segment"), large=True),
    Reader("clean and noisy pairs", _write(_pairs), _read("denoise"), large=True),
    Reader("clean pictures", _write(_clean), _read("denoise"), large=True),
)
