"""Classification: a small network for small pictures, a mobile one for photos."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from neocog.data.dataset import Dataset
from neocog.images import Size
from neocog.models import Entry
from neocog.recipe import Recipe
from neocog.training.choices.member import CHOICES, SMALL

__all__ = ["FEWEST_EPOCHS", "MOST_EPOCHS", "Classification"]

PICTURES_SEEN = 700_000  # over a training from random weights; a small set is seen as often as MOST_EPOCHS
FEWEST_EPOCHS, MOST_EPOCHS = 10, 30
EPOCHS_FROM_WEIGHTS = 15
STEPS_AN_EPOCH = 40  # at least, where the batch size allows it
SMALLEST_BATCH, LARGEST_BATCH, LARGEST_BATCH_OF_PHOTOS = 16, 128, 32


class Classification:
    """See Choices."""

    networks: tuple[str, ...] = ("small_convnet", "mobilenet_v2")  # of small pictures, of photos
    augmentations: tuple[str, ...] = ("flip", "pad_and_crop", "random_resized_crop")

    def network(self, dataset: Dataset) -> str:
        """By the size of the pictures."""
        return self.networks[0] if _is_small(dataset) else self.networks[1]

    def network_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """None."""
        return {}

    def image_size(self, dataset: Dataset, entry: Entry, *, from_weights: bool) -> Size | None:
        """The pictures' own where they are small."""
        if not _is_small(dataset) or from_weights:
            return None
        height, width = dataset.typical_size
        return max(height, entry.min_size), max(width, entry.min_size)

    def task_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """None."""
        return {}

    def augmented(self, recipe: Recipe, dataset: Dataset, size: Size) -> Recipe:
        """Shifts for small pictures, crops of random size for photos; mirror images where they keep their meaning."""
        if dataset.task != "classify":
            return replace(recipe, augment=())
        flip = ("flip",) if dataset.mirrored else ()
        if max(size) > SMALL:
            return replace(recipe, augment=("random_resized_crop", *flip))
        share = 8 if dataset.mirrored else 14  # 4 of 32 pixels, as is usual for CIFAR; 2 of 28 for digits, which are centred
        shift = {"pad_and_crop": {"crop_padding": max(1, min(size) // share)}}
        return replace(recipe, augment=("pad_and_crop", *flip), augment_options={**shift, **recipe.augment_options})

    def learning_rate(self, size: Size) -> float:
        """One for all sizes."""
        return 3e-3

    def batch_size(self, pictures: int, size: Size) -> int:
        """A power of two that leaves an epoch enough steps."""
        most = LARGEST_BATCH if max(size) <= SMALL else LARGEST_BATCH_OF_PHOTOS
        batch = max(SMALLEST_BATCH, min(most, 1 << max(pictures // STEPS_AN_EPOCH, 1).bit_length() >> 1))
        return min(batch, max(pictures, 1))

    def epochs(self, pictures: int, size: Size, *, fresh: bool) -> int:
        """The more pictures, the fewer."""
        if not fresh:
            return EPOCHS_FROM_WEIGHTS
        return max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(PICTURES_SEEN / max(pictures, 1))))


def _is_small(dataset: Dataset) -> bool:
    return max(dataset.typical_size) <= SMALL


CHOICES.add("classify", Classification())
