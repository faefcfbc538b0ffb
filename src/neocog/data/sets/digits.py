"""1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), https://doi.org/10.24432/C50P49.
Each value counts the dark pixels in a 4 x 4 block, 0 to 16; here it is spread over 0 to 255.
"""

import numpy as np
import torch

from neocog.data.arrays import ArrayDataset
from neocog.data.dataset import TaskName
from neocog.data.registry import DATASETS, NamedSet
from neocog.options import NoOptions

MOST_DARK = 16
LICENCE = "CC BY 4.0"


def open_digits(task: TaskName, options: NoOptions) -> ArrayDataset:
    """The digits, white on black, as one pool."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / MOST_DARK)).astype(np.uint8)
    return ArrayDataset(
        "digits",
        torch.from_numpy(pixels[:, None]),
        torch.from_numpy(digits.target.astype(np.int64)),
        tuple(map(str, range(10))),
        mirrored=False,
        licence=LICENCE,
        notes=("digits: comes with scikit-learn",),
    )


DATASETS.add_named(NamedSet("digits", "1,797 handwritten digits, 8 × 8, grey; always there", LICENCE, open_digits))
