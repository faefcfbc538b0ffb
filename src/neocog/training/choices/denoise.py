"""Denoising: DnCNN on small patches, many of them from each picture, mirrored and turned."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from neocog.data.dataset import Dataset
from neocog.images import Size
from neocog.models import Entry
from neocog.recipe import Recipe
from neocog.training.choices.member import CHOICES

__all__ = ["Denoising"]

LARGEST_PATCH = 64  # pixels a side
PATCHES_AN_EPOCH = 6_000
MOST_PATCHES = 64  # of one picture
PATCHES_SEEN = 200_000  # over a training from random weights
PATCHES_FROM_WEIGHTS = 80_000
FEWEST_EPOCHS = 5
LARGEST_BATCH, SMALLEST_BATCH = 32, 8
STEPS_AN_EPOCH = 40  # at least, where the batch size allows it


class Denoising:
    """See Choices; pictures are patches here."""

    networks: tuple[str, ...] = ("dncnn",)
    augmentations: tuple[str, ...] = ("flip", "quarter_turn")

    def network(self, dataset: Dataset) -> str:
        """DnCNN, whatever the pictures."""
        return self.networks[0]

    def network_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """The paper's."""
        return {}

    def image_size(self, dataset: Dataset, entry: Entry, *, from_weights: bool) -> Size | None:
        """Patches of the architecture's own size, but no larger than 64 pixels a side where it works on such."""
        if from_weights:
            return None
        height, width = (max(min(side, LARGEST_PATCH), entry.min_size) for side in entry.input_size)
        return height, width

    def task_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """As many patches of each picture as make an epoch of some thousand."""
        return {"patches_per_picture": max(1, min(MOST_PATCHES, round(PATCHES_AN_EPOCH / max(len(dataset), 1))))}

    def augmented(self, recipe: Recipe, dataset: Dataset, size: Size) -> Recipe:
        """Mirror images and quarter turns, which keep every pixel's value."""
        return replace(recipe, augment=self.augmentations)

    def learning_rate(self, size: Size) -> float:
        """One for all sizes."""
        return 1.5e-3

    def batch_size(self, pictures: int, size: Size) -> int:
        """A power of two that leaves an epoch enough steps."""
        batch = max(SMALLEST_BATCH, min(LARGEST_BATCH, 1 << (max(pictures // STEPS_AN_EPOCH, 1).bit_length() - 1)))
        return min(batch, max(pictures, 1))

    def epochs(self, pictures: int, size: Size, *, fresh: bool) -> int:
        """The more patches an epoch has, the fewer."""
        return max(FEWEST_EPOCHS, round((PATCHES_SEEN if fresh else PATCHES_FROM_WEIGHTS) / max(pictures, 1)))


CHOICES.add("denoise", Denoising())
