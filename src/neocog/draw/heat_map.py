"""How much each pixel of a picture counts, as colours over the picture."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from neocog.draw.canvas import blank, line_height, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER
from neocog.images import Picture

__all__ = ["SCALE", "colour_bar", "heat_map"]

QUANTILE = 0.995
SCALE = f"each map is scaled by itself: its strongest colour stands for the {QUANTILE:.1%} point of its absolute values, and above"
"""What the colours mean, for the foot of a sheet."""

PALE = 0.3  # of the grey picture's contrast under the colours
FOR = ((255, 196, 92), (226, 92, 18), (140, 10, 40))  # from weak to strong
AGAINST = ((150, 206, 240), (44, 118, 196), (11, 40, 110))
MOST_OPAQUE = 0.92
BAR, TEXT, GAP = 14, 14, 10


def heat_map(picture: Picture, values: Float[Tensor, "h w"]) -> Picture:
    """Lay a map over the picture, which becomes grey and pale: warm colours above 0, blue ones below; the weaker, the clearer.

    Args:
        picture: of the map's height and width.
        values: in no fixed range; see `SCALE`.

    Raises:
        ValueError: picture and map differ in size.
    """
    if values.shape != picture.shape[-2:]:
        raise ValueError(f"expected a map of {tuple(picture.shape[-2:])}, found {tuple(values.shape)}")
    grey = np.asarray(to_image(picture).convert("L"), dtype=np.float32)
    under = 255 - PALE * (255 - grey)
    shares = _scaled(values.detach().cpu())
    colours, opacity = _colours(shares)
    mixed = (1 - opacity) * under[..., None] + opacity * colours
    return torch.from_numpy(mixed.round().clip(0, 255).astype(np.uint8).transpose(2, 0, 1).copy())


def colour_bar(width: int, *, signed: bool, low: str, high: str) -> Picture:
    """The colours of heat maps from the lowest value to the highest, with a word at each end.

    Args:
        width: in pixels, words included.
        signed: whether there are values below 0.
        low, high: what the ends mean.
    """
    left, right = text_width(low, TEXT) + GAP, text_width(high, TEXT) + GAP
    length = max(width - left - right, 40)
    shares = np.linspace(-1 if signed else 0, 1, length, dtype=np.float32)[None].repeat(BAR, axis=0)
    colours, opacity = _colours(shares)
    strip = ((1 - opacity) * 255 * PALE + opacity * colours + (1 - opacity) * 255 * (1 - PALE)).round().astype(np.uint8)
    height = max(line_height(TEXT), BAR)
    sheet = blank((height, left + length + right), PAPER)
    sheet.paste(Image.fromarray(strip), (left, (height - BAR) // 2))
    write(sheet, (0, height / 2), low, TEXT, MUTED if not signed else INK, anchor="lm")
    write(sheet, (left + length + right, height / 2), high, TEXT, INK, anchor="rm")
    return to_picture(sheet)


def _scaled(values: Float[Tensor, "h w"]) -> NDArray[Any]:
    """The values in [-1, 1]; all 0 where the map is flat at 0."""
    sizes = values.abs().double().flatten().numpy()
    most = float(np.quantile(sizes, QUANTILE)) or float(sizes.max())
    return (values.double() / most if most else values).clamp(-1, 1).float().numpy()


def _colours(shares: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Colours "h w 3" in [0, 255] and opacities "h w 1" of values in [-1, 1]."""
    sizes = np.abs(shares)
    stops = np.linspace(0, 1, len(FOR))
    warm, cold = (np.stack([np.interp(sizes, stops, channel) for channel in zip(*scale, strict=True)], axis=-1) for scale in (FOR, AGAINST))
    colours = np.where(shares[..., None] < 0, cold, warm)
    return colours, (MOST_OPAQUE * np.minimum(1, 1.6 * sizes))[..., None]
