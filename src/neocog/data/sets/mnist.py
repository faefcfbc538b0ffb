"""70,000 handwritten digits of 28 x 28 pixels.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition (1998),
https://doi.org/10.1109/5.726791.
"""

from neocog.data.arrays import ArrayDataset
from neocog.data.dataset import TaskName
from neocog.data.idx import open_idx_set
from neocog.data.registry import DATASETS, NamedSet, NoOptions

LICENCE = "CC BY-SA 3.0"


def open_mnist(task: TaskName, options: NoOptions) -> ArrayDataset:
    """60,000 digits to train with and 10,000 to test with, white on black."""
    return open_idx_set("mnist", ("MNIST/raw", "mnist"), tuple(map(str, range(10))), mirrored=False, licence=LICENCE)


DATASETS.add("mnist", NamedSet("mnist", "60,000 + 10,000 handwritten digits, 28 × 28, grey", LICENCE, open_mnist))
