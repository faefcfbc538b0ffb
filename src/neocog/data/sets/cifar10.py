"""60,000 pictures of 32 x 32 pixels in ten classes.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009),
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from pathlib import Path

from neocog.data.arrays import ArrayDataset
from neocog.data.cifar import CifarFiles, open_cifar
from neocog.data.dataset import TaskName
from neocog.data.registry import DATASETS, NamedSet, published_folder
from neocog.options import NoOptions

LICENCE = "none stated"
FILES = CifarFiles([f"data_batch_{number}" for number in range(1, 6)], "test_batch", "batches.meta", "labels", "label_names")


def find() -> Path:
    """The folder of the batches."""
    return published_folder("cifar10", ("cifar-10-batches-py", "cifar10"), FILES.all_in, "what cifar-10-python.tar.gz contains")


def open_cifar10(task: TaskName, options: NoOptions) -> ArrayDataset:
    """50,000 pictures to train with and 10,000 to test with."""
    return open_cifar("cifar10", find(), FILES, LICENCE)


DATASETS.add_named(NamedSet("cifar10", "50,000 + 10,000 pictures, 32 × 32, ten classes", LICENCE, open_cifar10, find=find))
