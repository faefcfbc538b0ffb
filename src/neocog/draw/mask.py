"""A mask over its picture, each class in its colour, with a legend; and a mask as a file."""

import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt16
from PIL import Image, ImageDraw
from torch import Tensor

from neocog.draw.canvas import blank, enlarged, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import PAPER, Colour, class_colour
from neocog.images import Picture
from neocog.targets import Mask

__all__ = ["draw_mask", "mask_file", "overlaid", "with_legend"]

SHORTEST_SIDE = 240
TEXT = 14
MARGIN = 8
PALETTE = 256  # colours of a PNG
VOID: Colour = (0, 0, 0)


def draw_mask(picture: Picture, mask: Mask, class_names: Sequence[str], opacity: float = 0.5) -> Picture:
    """Lay the classes' colours over a picture.

    Args:
        picture: small ones are magnified by a whole factor.
        mask: of the picture's height and width; pixels that are void stay as they are.
        class_names: by class index; those that occur are named below.
        opacity: of the colours, in [0, 1].

    Raises:
        ValueError: mask and picture differ in size.
    """
    if mask.classes.shape != picture.shape[-2:]:
        raise ValueError(f"expected a mask of {tuple(picture.shape[-2:])}, found {tuple(mask.classes.shape)}")
    image, factor = enlarged(picture, SHORTEST_SIDE)
    present = [index for index in mask.classes.int().unique().tolist() if index != mask.void]
    coloured = overlaid(image, mask, factor, opacity)
    return to_picture(with_legend(coloured, [(class_names[index], class_colour(index)) for index in present]))


def overlaid(image: Image.Image, mask: Mask, factor: int, opacity: float) -> Image.Image:
    """The image with the classes' colours laid over it, but where the mask is void.

    Args:
        image: as many times as large as the mask.
        mask: of any classes.
        factor: how many times.
        opacity: of the colours, in [0, 1].
    """
    classes = mask.classes.cpu().numpy().repeat(factor, axis=0).repeat(factor, axis=1)
    pixels = np.array(image).astype(np.float32)
    for index in np.unique(classes).tolist():
        if index != mask.void:
            inside = classes == index
            pixels[inside] = (1 - opacity) * pixels[inside] + opacity * np.array(class_colour(index), dtype=np.float32)
    return Image.fromarray(pixels.round().astype(np.uint8))


def with_legend(image: Image.Image, entries: Sequence[tuple[str, Colour]]) -> Image.Image:
    """The image above as many rows of names, each beside its colour, as they need."""
    box = line_height(TEXT) - 4
    row = line_height(TEXT) + 4
    places, x, y = [], MARGIN, 0
    for name, colour in entries:
        text = shorten(name, TEXT, image.width - 2 * MARGIN - box - 6)
        width = box + 6 + text_width(text, TEXT)
        if x > MARGIN and x + width > image.width - MARGIN:
            x, y = MARGIN, y + row
        places.append((x, y, text, colour))
        x += width + 2 * MARGIN
    if not places:
        return image
    sheet = blank((image.height + y + row + MARGIN + 2, image.width), PAPER)
    sheet.paste(image, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for x, y, text, colour in places:
        top = image.height + MARGIN + y
        draw.rectangle((x, top, x + box - 1, top + box - 1), fill=colour)
        write(sheet, (x + box + 6, top - 2), text, TEXT)
    return sheet


def mask_file(mask: Mask) -> bytes:
    """A PNG whose pixels are class numbers: with a palette of the classes' colours up to number 255, else grey of 16 bits.

    Where the mask is void the palette is black.
    """
    classes: UInt16[Tensor, "h w"] = mask.classes.cpu()
    largest = int(classes.int().max())
    if largest < PALETTE:
        image = Image.frombytes("P", (classes.shape[1], classes.shape[0]), classes.numpy().astype(np.uint8).tobytes())
        image.putpalette([part for index in range(PALETTE) for part in (VOID if index == mask.void else class_colour(index))])
    else:
        image = Image.fromarray(classes.numpy())
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
