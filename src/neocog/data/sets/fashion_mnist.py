"""70,000 garments of 28 x 28 pixels, in MNIST's format.

H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms (2017), https://arxiv.org/abs/1708.07747.
"""

from neocog.data.arrays import ArrayDataset
from neocog.data.dataset import TaskName
from neocog.data.idx import open_idx_set
from neocog.data.registry import DATASETS, NamedSet, NoOptions

LICENCE = "MIT"
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def open_fashion_mnist(task: TaskName, options: NoOptions) -> ArrayDataset:
    """60,000 garments to train with and 10,000 to test with, light on black."""
    return open_idx_set("fashion-mnist", ("FashionMNIST/raw", "fashion-mnist"), CLASSES, mirrored=True, licence=LICENCE)


DATASETS.add("fashion-mnist", NamedSet("fashion-mnist", "60,000 + 10,000 garments, 28 × 28, grey", LICENCE, open_fashion_mnist))
