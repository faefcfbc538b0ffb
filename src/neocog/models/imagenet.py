"""The 1000 classes of the ImageNet Large Scale Visual Recognition Challenge, in the order of published weights.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", 2015, https://arxiv.org/abs/1409.0575
"""

import csv
import functools
import importlib.resources
from dataclasses import dataclass

__all__ = ["ImageNetClass", "imagenet_classes"]


@dataclass(frozen=True)
class ImageNetClass:
    """One class.

    Attributes:
        index: the logit's position in published weights.
        wnid: WordNet's identifier, as class folders are named ("n01440764").
        name: in English; "crane" and "maillot" name two classes each.
    """

    index: int
    wnid: str
    name: str


@functools.cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """The 1000 classes in the order of their index."""
    table = importlib.resources.files("neocog.models").joinpath("imagenet.csv").read_text(encoding="utf-8")
    return tuple(ImageNetClass(int(row["index"]), row["wnid"], row["name"]) for row in csv.DictReader(table.splitlines()))
