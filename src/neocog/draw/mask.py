"""A mask over its picture, each class in its colour, with a legend."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from neocog.draw.canvas import blank, enlarged, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import PAPER, class_colour
from neocog.images import Picture
from neocog.targets import Mask

__all__ = ["draw_mask"]

SHORTEST_SIDE = 240
TEXT = 14
MARGIN = 8


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
    classes = mask.classes.cpu().numpy().repeat(factor, axis=0).repeat(factor, axis=1)
    pixels = np.array(image).astype(np.float32)
    present = [index for index in np.unique(classes).tolist() if index != mask.void]
    for index in present:
        inside = classes == index
        pixels[inside] = (1 - opacity) * pixels[inside] + opacity * np.array(class_colour(index), dtype=np.float32)
    overlaid = Image.fromarray(pixels.round().astype(np.uint8))
    return to_picture(_with_legend(overlaid, [(class_names[index], index) for index in present]))


def _with_legend(image: Image.Image, entries: Sequence[tuple[str, int]]) -> Image.Image:
    """The image above as many rows of names as they need."""
    box = line_height(TEXT) - 4
    row = line_height(TEXT) + 4
    places, x, y = [], MARGIN, 0
    for name, index in entries:
        text = shorten(name, TEXT, image.width - 2 * MARGIN - box - 6)
        width = box + 6 + text_width(text, TEXT)
        if x > MARGIN and x + width > image.width - MARGIN:
            x, y = MARGIN, y + row
        places.append((x, y, text, index))
        x += width + 2 * MARGIN
    if not places:
        return image
    sheet = blank((image.height + y + row + MARGIN + 2, image.width), PAPER)
    sheet.paste(image, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for x, y, text, index in places:
        top = image.height + MARGIN + y
        draw.rectangle((x, top, x + box - 1, top + box - 1), fill=class_colour(index))
        write(sheet, (x + box + 6, top - 2), text, TEXT)
    return sheet
