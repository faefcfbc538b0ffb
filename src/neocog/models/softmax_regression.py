"""Softmax regression: one linear layer from pixels to logits; the least that a classifier can be.

J. S. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to
Statistical Pattern Recognition", 1990, https://doi.org/10.1007/978-3-642-76153-9_28

Initial weights are small and normal; the loss is convex, so where it starts hardly matters.
"""

import math

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import initialise_linears
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["softmax_regression"]


def softmax_regression(spec: ModelSpec) -> Network:
    """A linear layer on the flattened image; no stages."""
    head = nn.Sequential()
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc", nn.Linear(spec.in_channels * math.prod(spec.preprocess.size), spec.num_classes))
    initialise_linears(head)
    return Network({}, head, channels=(), preprocess=spec.preprocess, num_classes=spec.num_classes)


MODELS.add_named(
    Entry(
        name="softmax_regression",
        build=softmax_regression,
        year=1990,
        paper="J. S. Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990, "
        "https://doi.org/10.1007/978-3-642-76153-9_28",
        preprocess=Preprocess((28, 28), (28, 28), channels=1, mean=(0.1307,), std=(0.3081,)),
        parameters=7_850,
        multiply_adds=7_840,
        min_size=1,
        channels=(1, 3, 4),
        classes=10,
        traits=frozenset({"gradient", "transfer"}),
    ),
)
