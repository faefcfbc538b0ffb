"""Random windows of the picture, brought to the input's size."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, between, identity
from neocog.options import check, option

__all__ = ["Options", "windows"]

ATTEMPTS = 10


@dataclass(frozen=True)
class Options:
    """Cut out a window of random area and shape at a random place and bring it to the input's size."""

    crop_area: tuple[float, float] = option(
        (0.08, 1.0), "smallest and largest window, as a share of the picture's area", low=1e-4, high=1, ordered=True
    )
    crop_aspect: tuple[float, float] = option(
        (3 / 4, 4 / 3), "narrowest and widest window, width over height", low=1e-2, high=1e2, ordered=True
    )

    def __post_init__(self) -> None:
        check(self)


def windows(options: Options, uniforms: Float[Tensor, "b draws"], sizes: Float[Tensor, "b 2"]) -> Float[Tensor, "b 4"]:
    """The windows x1, y1, x2, y2 in whole pixels of the pictures.

    Area and logarithm of the aspect are drawn evenly, up to ten times, until the window fits the picture;
    where none does, the largest window in the middle with an admitted aspect is taken, as torchvision does.

    Args:
        options: area and aspect.
        uniforms: 22 numbers in [0, 1) a picture: ten areas, ten aspects, a vertical and a horizontal place.
        sizes: height and width of each picture.
    """
    height, width = sizes.to(torch.float64).unbind(1)
    draws = uniforms.to(torch.float64)
    area = (height * width)[:, None] * between(draws[:, :ATTEMPTS], *options.crop_area)
    aspect = between(draws[:, ATTEMPTS : 2 * ATTEMPTS], *map(math.log, options.crop_aspect)).exp()
    wide, high = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (wide >= 1) & (wide <= width[:, None]) & (high >= 1) & (high <= height[:, None])
    first = fits.int().argmax(dim=1, keepdim=True)  # of equal values the first
    wide, high = wide.gather(1, first)[:, 0], high.gather(1, first)[:, 0]
    top = torch.floor(draws[:, -2] * (height - high + 1))
    left = torch.floor(draws[:, -1] * (width - wide + 1))
    drawn = torch.stack([left, top, left + wide, top + high], dim=1)
    return torch.where(fits.any(dim=1)[:, None], drawn, _middle(options, height, width))


def _middle(options: Options, height: Tensor, width: Tensor) -> Tensor:
    low, high = options.crop_aspect
    wide = torch.minimum(width, (height * high).round()).clamp(min=1)
    tall = torch.minimum(height, (width / low).round()).clamp(min=1)
    left, top = torch.floor((width - wide) / 2), torch.floor((height - tall) / 2)
    return torch.stack([left, top, left + wide, top + tall], dim=1)


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    x1, y1, x2, y2 = windows(options, draw.uniform(2 * ATTEMPTS + 2), frame.sizes.to(torch.float64)).unbind(1)
    matrices = identity(len(x1), x1.device)
    for axis, start, end, extent in ((0, x1, x2, frame.size[1]), (1, y1, y2, frame.size[0])):
        matrices[:, axis, axis] = extent / (end - start)
        matrices[:, axis, 2] = -start * extent / (end - start)
    return matrices


AUGMENTATIONS.add(
    "random_resized_crop",
    Geometry(
        Options,
        _matrices,
        window=True,
        source="Szegedy et al., Going Deeper with Convolutions, 2014, section 6, https://arxiv.org/abs/1409.4842",
    ),
)
