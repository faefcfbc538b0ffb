"""60,000 pictures of 32 x 32 pixels in a hundred classes, which form twenty groups.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009),
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neocog.data.arrays import ArrayDataset
from neocog.data.cifar import CifarFiles, open_cifar
from neocog.data.dataset import TaskName
from neocog.data.registry import DATASETS, NamedSet, published_folder
from neocog.options import check, option

LICENCE = "none stated"


@dataclass(frozen=True)
class Options:
    """What may be chosen."""

    labels: Literal["fine", "coarse"] = option("fine", "fine for the hundred classes, coarse for the twenty groups")

    def __post_init__(self) -> None:
        check(self)


def find() -> Path:
    """The folder of the batches."""
    files = _files("fine")
    return published_folder("cifar100", ("cifar-100-python", "cifar100"), files.all_in, "what cifar-100-python.tar.gz contains")


def open_cifar100(task: TaskName, options: Options) -> ArrayDataset:
    """50,000 pictures to train with and 10,000 to test with."""
    return open_cifar("cifar100", find(), _files(options.labels), LICENCE)


def _files(labels: str) -> CifarFiles:
    return CifarFiles(["train"], "test", "meta", f"{labels}_labels", f"{labels}_label_names")


DATASETS.add_named(
    NamedSet("cifar100", "50,000 + 10,000 pictures, 32 × 32, a hundred classes", LICENCE, open_cifar100, Options=Options, find=find),
)
