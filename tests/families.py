"""Which architectures the tests build with real weights every time, and which only when the slow tests run."""

import math
from collections.abc import Iterable

import pytest

from neocog.models import MODELS


def family(name):
    """The file that an architecture is in."""
    return MODELS[name].build.__module__.rpartition(".")[2]


def sampled(names: Iterable[str], *, most_pixelwise: float = math.inf) -> list[object]:
    """The names as parameters of a test; all but the smallest of each family are slow.

    Args:
        names: of architectures.
        most_pixelwise: parameters; of networks that answer for every pixel, a family whose smallest has more is slow.
    """
    smallest: dict[str, str] = {}
    for name in MODELS.names():
        kept = smallest.setdefault(family(name), name)
        if MODELS[name].parameters < MODELS[kept].parameters:
            smallest[family(name)] = name
    always = {name for name in smallest.values() if "classify" in MODELS[name].tasks or MODELS[name].parameters <= most_pixelwise}
    return [name if name in always else pytest.param(name, marks=pytest.mark.slow) for name in names]


def light(names: Iterable[str], most: int) -> list[object]:
    """The names as parameters of a test; those with more parameters than `most` are slow, but for the smallest of each family."""
    always = {str(name) for name in sampled(names) if isinstance(name, str)}
    return [name if name in always or MODELS[name].parameters <= most else pytest.param(name, marks=pytest.mark.slow) for name in names]


def with_trait(trait: str) -> list[str]:
    """The architectures of which a fact holds: see `neocog.models.Trait`."""
    return [name for name in MODELS.names() if trait in MODELS[name].traits]
