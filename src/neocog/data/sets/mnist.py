"""70,000 handwritten digits of 28 x 28 pixels.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition (1998),
https://doi.org/10.1109/5.726791.
"""

from pathlib import Path

from neocog.data.arrays import ArrayDataset
from neocog.data.dataset import TaskName
from neocog.data.idx import idx_folder, open_idx_set
from neocog.data.registry import DATASETS, NamedSet
from neocog.options import NoOptions

LICENCE = "CC BY-SA 3.0"


def find() -> Path:
    """The folder of the four files."""
    return idx_folder("mnist", ("MNIST/raw", "mnist"))


def open_mnist(task: TaskName, options: NoOptions) -> ArrayDataset:
    """60,000 digits to train with and 10,000 to test with, white on black."""
    return open_idx_set("mnist", find(), tuple(map(str, range(10))), mirrored=False, licence=LICENCE)


DATASETS.add_named(NamedSet("mnist", "60,000 + 10,000 handwritten digits, 28 × 28, grey", LICENCE, open_mnist, find=find))
