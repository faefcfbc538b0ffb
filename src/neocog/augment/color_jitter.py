"""Random changes of brightness, contrast, saturation and hue."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Colour, Draw, between
from neocog.augment.recolour import LUMA
from neocog.options import check, option

__all__ = ["Options", "colour_matrices"]

# RGB to YIQ as the NTSC standard of 1953 rounds it
YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


@dataclass(frozen=True)
class Options:
    """Change brightness, contrast, saturation and hue, in this order; values are cut to [0, 1] once, at the end.

    The contrast grows about the mean luma of the picture itself, the saturation about each pixel's luma. The
    hue turns about the grey axis in YIQ, where every pixel keeps its luma.
    """

    brightness: float = option(0.2, "factor drawn evenly from 1 - value to 1 + value, not below 0", low=0, high=10)
    contrast: float = option(0.2, "factor drawn evenly from 1 - value to 1 + value, not below 0", low=0, high=10)
    saturation: float = option(0.2, "factor drawn evenly from 1 - value to 1 + value, not below 0", low=0, high=10)
    hue: float = option(0.02, "largest turn in either direction, as a share of the colour circle, from 0 to 0.5", low=0, high=0.5)

    def __post_init__(self) -> None:
        check(self)


def colour_matrices(
    brightness: Float[Tensor, "b"],
    contrast: Float[Tensor, "b"],
    saturation: Float[Tensor, "b"],
    hue: Float[Tensor, "b"],
    mean: Float[Tensor, "b 3"],
) -> Float[Tensor, "b 3 4"]:
    """The maps of (red, green, blue, 1) that change all four.

    Args:
        brightness: factors; 1 changes nothing.
        contrast: factors; 1 changes nothing.
        saturation: factors; 1 changes nothing, 0 gives grey.
        hue: turns, as shares of the circle; 0 changes nothing.
        mean: mean red, green and blue of each picture.
    """
    eye = torch.eye(3, device=mean.device)
    luma = torch.tensor(LUMA, device=mean.device).expand(3, 3)  # every row gives the luma
    tint = saturation[:, None, None] * eye + (1 - saturation)[:, None, None] * luma
    linear = _hue_turn(hue) @ tint * (brightness * contrast)[:, None, None]
    # The contrast leaves the mean grey as bright as it was. Saturation and hue leave greys alone, so that the
    # offset, which is grey, passes through them.
    grey = (1 - contrast) * brightness * (mean @ luma[0])
    return torch.cat([linear, grey[:, None, None].expand(-1, 3, 1)], dim=2)


def _hue_turn(hue: Tensor) -> Tensor:
    to_yiq = torch.tensor(YIQ, device=hue.device)
    angle = 2 * math.pi * hue
    cosine, sine, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], dim=1).view(-1, 3, 3)
    from_yiq: Tensor = torch.linalg.inv(to_yiq)
    return from_yiq @ turn @ to_yiq


def _matrices(options: Options, draw: Draw, mean: Tensor) -> Float[Tensor, "b 3 4"]:
    uniforms = draw.uniform(4).to(mean.dtype)
    brightness, contrast, saturation = (
        between(uniforms[:, i], max(0.0, 1 - amount), 1 + amount)
        for i, amount in enumerate((options.brightness, options.contrast, options.saturation))
    )
    return colour_matrices(brightness, contrast, saturation, between(uniforms[:, 3], -options.hue, options.hue), mean)


AUGMENTATIONS.add("color_jitter", Colour(Options, _matrices))
