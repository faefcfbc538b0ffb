"""Segmentation: a U-Net at a size that a laptop trains in minutes, pictures mirrored, zoomed and a little recoloured."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

from neocog.data.dataset import Dataset
from neocog.images import Size
from neocog.models import Entry
from neocog.recipe import Recipe
from neocog.training.choices.member import CHOICES, SMALL

__all__ = ["Segmentation"]

MOST_PIXELS = 180 * 240  # of the network's input: CamVid's pictures at half their size
MULTIPLE = 4  # sides are rounded to it, so that a network pads little
PIXELS_SEEN, PIXELS_SEEN_SMALL = 700_000_000, 40_000_000  # over a training from random weights
FEWEST_EPOCHS, MOST_EPOCHS = 6, 60
EPOCHS_FROM_WEIGHTS = 20
PIXELS_A_STEP = 8 * 180 * 240
SMALLEST_BATCH, LARGEST_BATCH = 4, 8
ZOOM = (0.5, 2.0)
WINDOW_AREA = (0.5, 1.0)
WINDOW_ASPECT = 1.15  # how much narrower or wider than the picture a window may be


class Segmentation:
    """See Choices."""

    networks: tuple[str, ...] = ("unet",)
    augmentations: tuple[str, ...] = ("color_jitter", "flip", "random_resized_crop", "scale")

    def network(self, dataset: Dataset) -> str:
        """A U-Net, whatever the pictures."""
        return self.networks[0]

    def network_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """Half of the paper's channels, and half of that for small pictures."""
        return {"base": 16} if max(dataset.typical_size) <= SMALL else {"base": 32}

    def image_size(self, dataset: Dataset, entry: Entry, *, from_weights: bool) -> Size | None:
        """The pictures' own proportions with at most 180 x 240 pixels."""
        if from_weights or not min(dataset.typical_size):
            return None
        height, width = dataset.typical_size
        share = min(1.0, sqrt(MOST_PIXELS / (height * width)))
        rows, columns = (side if share == 1 else max(entry.min_size, MULTIPLE * round(side * share / MULTIPLE)) for side in (height, width))
        return max(rows, entry.min_size), max(columns, entry.min_size)

    def task_options(self, dataset: Dataset) -> Mapping[str, Any]:
        """Whole pictures where all have about the same proportions, else windows."""
        return {"fit": "letterbox" if dataset.alike else "crop"}

    def augmented(self, recipe: Recipe, dataset: Dataset, size: Size) -> Recipe:
        """Windows of letterboxed pictures, zoom of windows, and light changes of colour; mirror images where they keep their meaning."""
        if max(size) <= SMALL:  # zooms would cost more than they give
            return replace(recipe, augment=("flip",) if dataset.mirrored else ())
        flip = ("flip",) if dataset.mirrored else ()
        aspect = dataset.typical_size[1] / max(dataset.typical_size[0], 1)
        own: dict[str, dict[str, Any]] = {"scale": {"scale_range": ZOOM}}
        if recipe.task_options.get("fit") != "crop":
            shape = round(aspect / WINDOW_ASPECT, 3), round(aspect * WINDOW_ASPECT, 3)
            own = {"random_resized_crop": {"crop_area": WINDOW_AREA, "crop_aspect": shape}}
        return replace(recipe, augment=("color_jitter", *flip, *own), augment_options={**own, **recipe.augment_options})

    def learning_rate(self, size: Size) -> float:
        """Small networks for small pictures bear a higher one."""
        return 3e-3 if max(size) <= SMALL else 2e-3

    def batch_size(self, pictures: int, size: Size) -> int:
        """Eight, fewer where images are larger than 180 x 240: many steps teach more than large ones."""
        fitting = PIXELS_A_STEP // (size[0] * size[1])
        return max(1, min(max(SMALLEST_BATCH, min(fitting, LARGEST_BATCH)), pictures))

    def epochs(self, pictures: int, size: Size, *, fresh: bool) -> int:
        """The more pixels, the fewer."""
        if not fresh:
            return EPOCHS_FROM_WEIGHTS
        pixels = PIXELS_SEEN_SMALL if max(size) <= SMALL else PIXELS_SEEN
        return max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(pixels / (max(pictures, 1) * size[0] * size[1]))))


CHOICES.add("segment", Segmentation())
