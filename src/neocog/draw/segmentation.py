"""An answer of segmentation over its picture; beside it the truth and where the two differ, with one legend."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from neocog.draw.canvas import blank, line_height, to_image, to_picture, write
from neocog.draw.mask import overlaid, with_legend
from neocog.draw.palette import INK, PAPER, WRONG, Colour, class_colour
from neocog.images import Picture, Size, resize
from neocog.targets import Mask

__all__ = ["LONGEST_SIDE", "draw_segmentation", "smaller"]

OPACITY = 0.6
SHORTEST_SIDE, LONGEST_SIDE = 240, 1600  # of a panel, in pixels
CAPTION = 14
GAP = 8
VOID: Colour = (150, 150, 156)


def draw_segmentation(picture: Picture, answer: Mask, class_names: Sequence[str], truth: Mask | None = None) -> Picture:
    """The answer's classes over the picture; with the truth three panels: answer, truth, and what is answered wrongly.

    Args:
        picture: small ones are magnified by a whole factor, large ones shrunk.
        answer: of the picture's height and width.
        class_names: by class index; those that occur in either mask are named below.
        truth: likewise; its void pixels are grey in the third panel.

    Raises:
        ValueError: a mask differs from the picture in size.
    """
    for mask in (answer, truth):
        if mask is not None and mask.classes.shape != picture.shape[-2:]:
            raise ValueError(f"expected a mask of {tuple(picture.shape[-2:])}, found {tuple(mask.classes.shape)}")
    picture, answer, truth = _of_readable_size(picture, answer, truth)
    factor = max(1, -(-SHORTEST_SIDE // min(picture.shape[-2:])))
    factor = max(1, min(factor, LONGEST_SIDE // max(picture.shape[-2:])))
    image = to_image(picture)
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    masks = [mask for mask in (answer, truth) if mask is not None]
    panels = [overlaid(image, mask, factor, OPACITY) for mask in masks]
    present = sorted({index for mask in masks for index in mask.classes.int().unique().tolist() if index != mask.void})
    entries = [(class_names[index], class_colour(index)) for index in present]
    if truth is None:
        return to_picture(with_legend(panels[0], entries))
    panels.append(_differences(image, answer, truth, factor))
    entries.append(("answered wrongly", WRONG))
    if truth.void is not None and bool((truth.classes.int() == truth.void).any()):
        entries.append(("void", VOID))
    return to_picture(with_legend(_side_by_side(panels, ("answer", "truth", "differences")), entries))


def _of_readable_size(picture: Picture, answer: Mask, truth: Mask | None) -> tuple[Picture, Mask, Mask | None]:
    height, width = picture.shape[-2:]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return picture, answer, truth
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return resize(picture, size), smaller(answer, size), None if truth is None else smaller(truth, size)


def smaller(mask: Mask, size: Size) -> Mask:
    """The mask with the pixels nearest to the centres of those of another size."""
    height, width = mask.classes.shape
    rows, columns = (((np.arange(count) + 0.5) * side / count).astype(np.int64) for count, side in zip(size, (height, width), strict=True))
    return Mask(torch.from_numpy(mask.classes.cpu().numpy()[rows[:, None], columns]), mask.void)


def _differences(image: Image.Image, answer: Mask, truth: Mask, factor: int) -> Image.Image:
    """The picture in pale grey, with what is answered wrongly in one colour and what is void in another."""
    grey = np.array(image.convert("L").convert("RGB")).astype(np.float32) * 0.5 + 127
    wrong, void = answer.classes.int() != truth.classes.int(), truth.classes.int() == (-1 if truth.void is None else truth.void)
    for places, colour in ((wrong & ~void, WRONG), (void, VOID)):
        inside = places.cpu().numpy().repeat(factor, axis=0).repeat(factor, axis=1)
        grey[inside] = (1 - OPACITY) * grey[inside] + OPACITY * np.array(colour, dtype=np.float32)
    return Image.fromarray(grey.clip(0, 255).round().astype(np.uint8))


def _side_by_side(panels: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    head = line_height(CAPTION) + 6
    width, height = panels[0].size
    sheet = blank((head + height, len(panels) * width + (len(panels) - 1) * GAP), PAPER)
    for number, (panel, caption) in enumerate(zip(panels, captions, strict=True)):
        x = number * (width + GAP)
        write(sheet, (x + 2, 2), caption, CAPTION, INK)
        sheet.paste(panel, (x, head))
    return sheet
