"""Geometry of boxes: x1, y1, x2, y2 in pixels, the origin at the picture's upper left corner.

A pixel is a unit square: the picture of width w spans x from 0 to w, and a box around the first pixel is
(0, 0, 1, 1).
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["area", "clip", "transform"]


def area(boxes: Float[Tensor, "n 4"]) -> Float[Tensor, "n"]:
    """Width times height in square pixels; 0 for boxes without extent."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)


def clip(boxes: Float[Tensor, "n 4"], height: float, width: float) -> Float[Tensor, "n 4"]:
    """The part of each box that lies inside a picture."""
    return torch.stack([boxes[:, i].clamp(0, (width, height)[i % 2]) for i in range(4)], dim=1)


def transform(boxes: Float[Tensor, "n 4"], matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "n 4"]:
    """The upright hull of each box's four corners under an affine map of pixel coordinates (x, y, 1)."""
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    corners = torch.stack([torch.stack([x, y, torch.ones_like(x)], dim=1) for x in (x1, x2) for y in (y1, y2)], dim=1)
    moved = (corners @ matrix.T.to(corners))[..., :2]
    return torch.cat([moved.amin(dim=1), moved.amax(dim=1)], dim=1)
