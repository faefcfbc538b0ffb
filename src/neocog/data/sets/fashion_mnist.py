"""70,000 garments of 28 x 28 pixels, in MNIST's format.

H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms (2017), https://arxiv.org/abs/1708.07747.
"""

from pathlib import Path

from neocog.data.arrays import ArrayDataset
from neocog.data.dataset import TaskName
from neocog.data.idx import idx_folder, open_idx_set
from neocog.data.registry import DATASETS, NamedSet
from neocog.options import NoOptions

LICENCE = "MIT"
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def find() -> Path:
    """The folder of the four files."""
    return idx_folder("fashion-mnist", ("FashionMNIST/raw", "fashion-mnist"))


def open_fashion_mnist(task: TaskName, options: NoOptions) -> ArrayDataset:
    """60,000 garments to train with and 10,000 to test with, light on black."""
    return open_idx_set("fashion-mnist", find(), CLASSES, mirrored=True, licence=LICENCE)


DATASETS.add_named(NamedSet("fashion-mnist", "60,000 + 10,000 garments, 28 × 28, grey", LICENCE, open_fashion_mnist, find=find))
