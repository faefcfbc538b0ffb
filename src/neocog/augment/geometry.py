"""One affine map a picture, applied once to everything that has a place in it."""

from dataclasses import replace
from typing import assert_never

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.augment.instances import move_boxes
from neocog.augment.resample import Motion, move, nearest, plan
from neocog.batch import Batch
from neocog.images import Size
from neocog.targets import BoxLists, Cleans, Labels, Masks, Targets

__all__ = ["MIN_VISIBLE", "picture_sizes", "warp"]

MIN_VISIBLE = 0.25
"""An instance of which a smaller share of its area stays in the image is dropped."""


def picture_sizes(batch: Batch) -> Int64[Tensor, "b 2"]:
    """Height and width of each picture in the pixels of the batch.

    Without `valid` the pixels are all picture (a canvas, or files of one size); else the picture is what is
    valid, from the upper left corner.
    """
    if batch.valid is None:
        return torch.tensor(batch.pixels.shape[2:], dtype=torch.int64, device=batch.pixels.device).expand(len(batch), 2)
    return torch.stack([batch.valid.any(dim=2).sum(dim=1), batch.valid.any(dim=1).sum(dim=1)], dim=1)


def warp(batch: Batch, matrices: Float[Tensor, "b 3 3"], size: Size, *, reflect: bool = False, min_visible: float = MIN_VISIBLE) -> Batch:
    """Bring the pictures of a batch and their targets to another raster.

    Flips, quarter turns and shifts by whole pixels keep every value as it is; a window of whole pixels is
    resized with antialiasing; all other maps sample bilinearly, from blocks of averaged pixels where they
    shrink by 2 or more. Masks take the nearest class, and void outside. Boxes become the hull of the visible
    part of their outlines, or of their corners where there is no outline.

    Args:
        batch: pictures that begin in the upper left corner of its pixels, as the loader gives them.
        matrices: maps pixel coordinates (x, y, 1) of the batch to those of the new raster.
        size: height and width of the new raster.
        reflect: fill what lies outside a picture with its reflection, not with black. It does not count as valid.
        min_visible: an instance with a smaller share of its area inside the new raster is dropped, in [0, 1].

    Returns:
        The batch with `to_input` extended; pixels uint8 as long as no picture moves in a general way, else float32.
    """
    motion = plan(matrices, picture_sizes(batch), size, reflect)
    return replace(
        batch,
        pixels=move(batch.pixels, motion),
        targets=None if batch.targets is None else _move_targets(batch.targets, matrices, motion, min_visible),
        to_input=(matrices.to(torch.float64) @ batch.to_input.to(torch.float64)).to(torch.float32),
        valid=motion.inside,
    )


def _move_targets(targets: Targets, matrices: Tensor, motion: Motion, min_visible: float) -> Targets:
    match targets:
        case Labels():
            return targets
        case Masks(classes, void):
            return Masks(nearest(classes, motion, void), void)
        case Cleans(pixels):
            return replace(targets, pixels=move(pixels, motion))
        case BoxLists(pictures):
            moved = zip(pictures, matrices.to(torch.float32), strict=True)
            return BoxLists(tuple(move_boxes(boxes, matrix, motion.size, min_visible) for boxes, matrix in moved))
        case _:
            assert_never(targets)
