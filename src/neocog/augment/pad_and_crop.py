"""Random shifts by whole pixels, as training on CIFAR does since the all-CNN and residual networks."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, identity
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Pad the image on all sides and cut a window of its size out at a random place."""

    crop_padding: int = option(4, "width of the border on each side, in pixels of the input", low=0)
    crop_reflect: bool = option(False, "fill the border with the picture's reflection instead of black")

    def __post_init__(self) -> None:
        check(self)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    shifts = torch.floor(draw.uniform(2) * (2 * options.crop_padding + 1)) - options.crop_padding
    matrices = identity(len(shifts), shifts.device)
    matrices[:, :2, 2] = shifts.to(torch.float64)
    return matrices


AUGMENTATIONS.add(
    "pad_and_crop",
    Geometry(
        Options,
        _matrices,
        exact=True,
        source="He et al., Deep Residual Learning for Image Recognition, 2015, section 4.2, https://arxiv.org/abs/1512.03385",
    ),
)
