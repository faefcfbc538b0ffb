"""What changes a training picture: geometry as one affine matrix, colour as one 3x4 matrix, noise, cutout, mixing."""

from neocog.augment.apply import augment, place
from neocog.augment.geometry import warp
from neocog.augment.member import AUGMENTATIONS

__all__ = ["AUGMENTATIONS", "augment", "place", "warp"]
