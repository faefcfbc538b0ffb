"""A picture before and after, and what lies between, side by side."""

from collections.abc import Sequence
from typing import Literal

import torch
from PIL import Image

from neocog.draw.canvas import blank, enlarged, fit_into, line_height, shorten, to_picture, write
from neocog.draw.palette import MUTED, PAPER
from neocog.images import Picture, Size, to_channels, to_one_depth

__all__ = ["LONGEST_SIDE", "difference", "strip"]

MARGIN, GAP = 16, 12
TEXT, SMALL_TEXT = 15, 13
CAPTION_GAP = 4
SHORTEST_SIDE, LONGEST_SIDE = 200, 512
MOST_GAIN = 16
SPAN = 0.98  # of the differences are drawn as they are; the rest is cut off


def strip(pictures: Sequence[Picture], captions: Sequence[str]) -> Picture:
    """Pictures of one size beside each other, each above its caption; small ones magnified, large ones shrunk.

    Args:
        pictures: of any channels and depths.
        captions: one for each, of one or more lines.

    Raises:
        ValueError: there is no picture, or the captions are not as many.
    """
    if not pictures or len(captions) != len(pictures):
        raise ValueError(f"expected pictures with a caption each, found {len(pictures)} pictures and {len(captions)} captions")
    images = [_readable(picture) for picture in pictures]
    cell = max(image.width for image in images)
    head = max(image.height for image in images)
    lines = [caption.split("\n") for caption in captions]
    foot = CAPTION_GAP + line_height(TEXT) + line_height(SMALL_TEXT) * (max(map(len, lines)) - 1)
    sheet = blank((2 * MARGIN + head + foot, 2 * MARGIN + len(images) * cell + (len(images) - 1) * GAP), PAPER)
    for column, (image, caption) in enumerate(zip(images, lines, strict=True)):
        x, y = MARGIN + column * (cell + GAP), MARGIN + head + CAPTION_GAP
        sheet.paste(image, (x, MARGIN))
        write(sheet, (x, y), shorten(caption[0], TEXT, cell), TEXT)
        for number, line in enumerate(caption[1:]):
            at = (x, y + line_height(TEXT) + number * line_height(SMALL_TEXT))
            write(sheet, at, shorten(line, SMALL_TEXT, cell), SMALL_TEXT, MUTED)
    return to_picture(sheet)


def difference(first: Picture, second: Picture) -> tuple[Picture, int]:
    """What has to be added to the second picture to get the first: middle grey where nothing has, brighter where light has.

    Args:
        first: of any channels and depth.
        second: of the same size.

    Returns:
        the differences, "c h w" of 8 bits, and the whole factor that they are magnified by, so that they can be seen.

    Raises:
        ValueError: the pictures differ in size.
    """
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"expected pictures of one size, found {tuple(first.shape[1:])} and {tuple(second.shape[1:])}")
    channels: Literal[1, 3] = 3 if max(len(first), len(second)) == 3 else 1
    ours, theirs = (to_channels(picture, channels).to(torch.float64) for picture in to_one_depth([first, second]))
    values = (ours - theirs) / (255 if first.dtype == second.dtype == torch.uint8 else 65535)
    largest = float(values.abs().flatten().kthvalue(max(1, round(SPAN * values.numel()))).values)
    gain = max(1, min(MOST_GAIN, int(0.5 / largest))) if largest > 0 else 1
    return (127.5 + 255 * gain * values).round().clamp(0, 255).to(torch.uint8), gain


def _readable(picture: Picture) -> Image.Image:
    size: Size = (picture.shape[1], picture.shape[2])
    return enlarged(picture, SHORTEST_SIDE)[0] if max(size) <= LONGEST_SIDE else fit_into(picture, (LONGEST_SIDE, LONGEST_SIDE))
