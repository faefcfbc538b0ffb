"""60,000 pictures of 32 x 32 pixels in a hundred classes, which form twenty groups.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009),
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from dataclasses import dataclass
from typing import Literal

from neocog.data.arrays import ArrayDataset
from neocog.data.cifar import CifarFiles, open_cifar
from neocog.data.dataset import TaskName
from neocog.data.registry import DATASETS, NamedSet, published_folder

LICENCE = "none stated"


@dataclass(frozen=True)
class Options:
    """What may be chosen.

    Attributes:
        labels: "fine" for the hundred classes, "coarse" for the twenty groups.
    """

    labels: Literal["fine", "coarse"] = "fine"


def open_cifar100(task: TaskName, options: Options) -> ArrayDataset:
    """50,000 pictures to train with and 10,000 to test with."""
    files = CifarFiles(["train"], "test", "meta", f"{options.labels}_labels", f"{options.labels}_label_names")
    by_hand = "what cifar-100-python.tar.gz contains"
    folder = published_folder("cifar100", ("cifar-100-python", "cifar100"), files.all_in, by_hand)
    return open_cifar("cifar100", folder, files, LICENCE)


DATASETS.add(
    "cifar100", NamedSet("cifar100", "50,000 + 10,000 pictures, 32 × 32, a hundred classes", LICENCE, open_cifar100, Options=Options)
)
