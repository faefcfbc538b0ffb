"""Boxes over a picture, each in the colour of its class and with its name."""

from collections.abc import Sequence

from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from neocog.draw.canvas import enlarged, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import class_colour, ink_on
from neocog.images import Picture
from neocog.targets import Boxes

__all__ = ["draw_boxes"]

SHORTEST_SIDE = 240


def draw_boxes(picture: Picture, boxes: Boxes, class_names: Sequence[str], scores: Float[Tensor, "n"] | None = None) -> Picture:
    """Outline instances and name them.

    Args:
        picture: small ones are magnified by a whole factor.
        boxes: in pixels of the picture. Where an instance has an outline, that is drawn too.
        class_names: by class index.
        scores: confidences in [0, 1], written after the names; surer boxes are drawn over less sure ones.
    """
    image, factor = enlarged(picture, SHORTEST_SIDE)
    order = list(range(len(boxes.classes))) if scores is None else scores.argsort().tolist()
    places = [_pixels(boxes.corners[i] * factor) for i in order]
    draw = ImageDraw.Draw(image)
    thickness = max(2, round(min(image.size) / 200))
    for i, place in zip(order, places, strict=True):
        colour = class_colour(int(boxes.classes[i]))
        if boxes.outlines and len(boxes.outlines[i]) > 1:
            points = [(factor * x, factor * y) for x, y in boxes.outlines[i].tolist()]
            draw.line([*points, points[0]], fill=colour, width=max(1, thickness // 2))
        draw.rectangle(place, outline=colour, width=thickness)
    for i, place in zip(order, places, strict=True):  # after all lines, so that none crosses a name
        index = int(boxes.classes[i])
        name = class_names[index] if scores is None else f"{class_names[index]} {100 * float(scores[i]):.0f} %"
        _name(image, place, name, index)
    return to_picture(image)


def _pixels(corners: Float[Tensor, "4"]) -> tuple[int, int, int, int]:
    """First and last pixel inside a box, as Pillow counts; a box without extent gets one."""
    x1, y1, x2, y2 = (round(value) for value in corners.tolist())
    return x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)


def _name(image: Image.Image, corners: tuple[int, int, int, int], name: str, index: int) -> None:
    """Above the box where there is room, else inside its upper edge; always inside the picture."""
    size = max(12, round(min(image.size) / 30))
    text = shorten(name, size, image.width - 6)
    width, height = text_width(text, size) + 6, line_height(size) + 2
    left = min(max(corners[0], 0), image.width - width)
    top = corners[1] - height if corners[1] >= height else min(max(corners[1], 0), image.height - height)
    colour = class_colour(index)
    ImageDraw.Draw(image).rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    write(image, (left + 3, top + 1), text, size, ink_on(colour))
