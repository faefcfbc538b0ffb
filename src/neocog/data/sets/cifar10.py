"""60,000 pictures of 32 x 32 pixels in ten classes.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009),
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from neocog.data.arrays import ArrayDataset
from neocog.data.cifar import CifarFiles, open_cifar
from neocog.data.dataset import TaskName
from neocog.data.registry import DATASETS, NamedSet, NoOptions, published_folder

LICENCE = "none stated"
FILES = CifarFiles([f"data_batch_{number}" for number in range(1, 6)], "test_batch", "batches.meta", "labels", "label_names")


def open_cifar10(task: TaskName, options: NoOptions) -> ArrayDataset:
    """50,000 pictures to train with and 10,000 to test with."""
    by_hand = "what cifar-10-python.tar.gz contains"
    folder = published_folder("cifar10", ("cifar-10-batches-py", "cifar10"), FILES.all_in, by_hand)
    return open_cifar("cifar10", folder, FILES, LICENCE)


DATASETS.add("cifar10", NamedSet("cifar10", "50,000 + 10,000 pictures, 32 × 32, ten classes", LICENCE, open_cifar10))
