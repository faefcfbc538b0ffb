"""What changes a training picture: geometry as one affine matrix, colour as one 3x4 matrix, noise, cutout, mixing."""

from neocog.augment.apply import augment, augment_each, fitted, mix, place, require_exact
from neocog.augment.geometry import warp
from neocog.augment.member import AUGMENTATIONS

__all__ = ["AUGMENTATIONS", "augment", "augment_each", "fitted", "mix", "place", "require_exact", "warp"]
