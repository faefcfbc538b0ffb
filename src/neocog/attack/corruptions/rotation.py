"""The picture turned about its centre, to the left or to the right as drawn; mirrored pixels come in at the corners."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__ = ["turned"]


def turned(images: Float[Tensor, "b c h w"], degrees: Float[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
    """Each image turned clockwise by its own angle, bilinearly; beyond the border it is reflected about its outer edges."""
    angles = torch.deg2rad(degrees.to(torch.float64))
    cosine, sine, none = angles.cos(), angles.sin(), torch.zeros_like(angles)
    height, width = images.shape[-2:]
    # For each point of the result the point of the image: turned back, in coordinates that run from -1 to 1 on both axes.
    rows = torch.stack([cosine, sine * height / width, none, -sine * width / height, cosine, none], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(rows.to(images.dtype), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _corrupt(images: Float[Tensor, "b c h w"], degrees: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    side = torch.where(draw.uniform(1)[:, 0] < 0.5, -1.0, 1.0)
    return turned(images, degrees * side)


CORRUPTIONS.add(
    "rotation",
    Corruption(
        _corrupt,
        amounts=(6, 12, 18, 24, 30),
        amounts_of_large=(6, 12, 18, 24, 30),
        unit="degrees",
        summary="turned to the left or to the right",
        source="amounts of our own",
        moves=True,
    ),
)
