"""Many small pictures close together, and numbers as shades of grey."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from neocog.draw.canvas import blank, fit_into, line_height, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, PAPER, RULE
from neocog.images import Picture

__all__ = ["cell_for", "centred", "grey_ramp", "mosaic", "shades", "signed_shades", "squarish"]

GAP = 2
RAMP = 12  # height in pixels
LABEL = 13


def shades(values: Float[Tensor, "_ _"], low: float, high: float) -> Picture:
    """Numbers "h w" as a grey picture: black at `low` and below, white at `high` and above."""
    spread = max(high - low, torch.finfo(torch.float32).tiny)
    return ((values.detach().cpu() - low) / spread * 255).round().clamp(0, 255).to(torch.uint8)[None]


def signed_shades(weights: Float[Tensor, "_ _ _"], scale: float) -> Picture:
    """Numbers "c h w" of either sign as a picture: grey is 0, black (or no light of that colour) -scale, white +scale.

    Three channels are shown as red, green and blue; of any other number only one is admitted.

    Raises:
        ValueError: two channels, or more than three.
    """
    if len(weights) not in (1, 3):
        raise ValueError(f"expected 1 or 3 channels, found {len(weights)}")
    scale = max(scale, torch.finfo(torch.float32).tiny)
    return (127.5 + 127.5 * weights.detach().cpu() / scale).round().clamp(0, 255).to(torch.uint8)


def mosaic(pictures: Sequence[Picture], columns: int, cell: int, gap: int = GAP) -> Picture:
    """Lay pictures out in rows of equal squares; small ones grow by whole factors and stand in the middle.

    Args:
        pictures: at least one.
        columns: how many stand in a row.
        cell: side in pixels of the square that each is fitted into.
        gap: pixels between them.

    Raises:
        ValueError: there is no picture.
    """
    if not pictures:
        raise ValueError("expected at least one picture, found none")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = blank((rows * (cell + gap) - gap, columns * (cell + gap) - gap), PAPER)
    for number, picture in enumerate(pictures):
        image = fit_into(picture, (cell, cell))
        top, left = number // columns * (cell + gap), number % columns * (cell + gap)
        sheet.paste(Image.new("RGB", (cell, cell), RULE), (left, top))
        sheet.paste(image, (left + (cell - image.width) // 2, top + (cell - image.height) // 2))
    return to_picture(sheet)


def grey_ramp(labels: Sequence[str], width: int = 320) -> Picture:
    """From black to white, with words at equal distances underneath: the scale of a grey picture.

    Args:
        labels: of the left end, what lies between, and the right end; at least two.
        width: in pixels, without what the outer words need.
    """
    outer = max(text_width(label, LABEL) for label in labels) // 2 + 1
    sheet = blank((RAMP + 4 + line_height(LABEL), width + 2 * outer), PAPER)
    values = torch.linspace(0, 255, width).round().to(torch.uint8)
    ramp = Image.fromarray(values.expand(RAMP, -1).numpy().copy())
    sheet.paste(ramp.convert("RGB"), (outer, 0))
    for number, label in enumerate(labels):
        at = outer + number * (width - 1) / (len(labels) - 1)
        write(sheet, (at, RAMP + 2), label, LABEL, INK, anchor="ma")
    return to_picture(sheet)


def squarish(count: int) -> int:
    """Columns that make a grid about square."""
    return max(1, math.ceil(math.sqrt(count)))


def cell_for(side: int, most: int) -> int:
    """The largest whole multiple of a picture's side that is at most so many pixels, so that it fills its square; else `most`."""
    return side * (most // side) if side <= most else most


def centred(picture: Picture, side: int) -> Picture:
    """The picture in the middle of a square of that side at least, so that several of unequal size are shown at one scale."""
    image = to_image(picture)
    longer = max(side, *image.size)
    sheet = blank((longer, longer), RULE)
    sheet.paste(image, ((longer - image.width) // 2, (longer - image.height) // 2))
    return to_picture(sheet)
