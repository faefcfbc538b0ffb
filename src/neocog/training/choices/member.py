"""What a member of this folder is, and the registry that finds it."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from neocog.data.dataset import Dataset
from neocog.images import Size
from neocog.models import Entry
from neocog.recipe import Recipe
from neocog.registry import Registry

__all__ = ["CHOICES", "SMALL", "Choices", "choices_of"]

SMALL = 64
"""Pixels: pictures up to this are shown at their own size."""


@runtime_checkable
class Choices(Protocol):
    """What one task's trainings take by themselves.

    Attributes:
        networks: the architectures that may be chosen.
        augmentations: those that may be chosen.
    """

    networks: tuple[str, ...]
    augmentations: tuple[str, ...]

    def network(self, dataset: Dataset) -> str:
        """The architecture that suits the pictures."""
        ...

    def network_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """Options of the network that `network` names."""
        ...

    def image_size(self, dataset: Dataset, entry: Entry, *, from_weights: bool) -> Size | None:
        """Height and width of the network's input; None for the size of the weights, or the architecture's own."""
        ...

    def task_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """Options of the task that follow from the data; those that the recipe gives go before them."""
        ...

    def augmented(self, recipe: Recipe, dataset: Dataset, size: Size) -> Recipe:
        """The recipe with augmentations, and with options for them where it gives none.

        Args:
            recipe: without augmentations.
            dataset: of the pictures.
            size: height and width of the network's input.
        """
        ...

    def learning_rate(self, size: Size) -> float:
        """Of AdamW, for a network with norms and random initial weights.

        Args:
            size: height and width of the network's input.
        """
        ...

    def batch_size(self, pictures: int, size: Size) -> int:
        """Pictures of a step, of so many to train on."""
        ...

    def epochs(self, pictures: int, size: Size, *, fresh: bool) -> int:
        """How often each of so many pictures is seen.

        Args:
            fresh: whether the weights are random at first.
        """
        ...


CHOICES: Registry[Choices] = Registry("choices of a task", "neocog.training.choices")


def choices_of(task: str | None) -> Choices:
    """Those of a task; of classification for a task that has none of its own."""
    return CHOICES[task if task is not None and task in CHOICES else "classify"]
