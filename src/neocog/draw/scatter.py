"""Pictures as points of a plane, in the colours of their classes, some of them as thumbnails."""

from collections.abc import Sequence

from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from neocog.draw.canvas import blank, fit_into, line_height, shorten, text_width, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RULE, class_colour
from neocog.images import Picture, Size

__all__ = ["class_legend", "scatter"]

SIDE = 860  # of the plane, pixels
BORDER = 34  # so that thumbnails at the edge are whole
SMOOTH = 2  # drawn this many times as large, and shrunk
RADIUS = 3.0
FRAME = 3
NAME, SWATCH, MOST_NAMES, LONGEST_NAME = 15, 14, 40, 180


def scatter(
    places: Float[Tensor, "n 2"],
    classes: Sequence[int],
    thumbnails: Sequence[Picture] = (),
    *,
    limits: tuple[float, float, float, float] | None = None,
    thumbnail: int = 40,
    side: int = SIDE,
) -> Picture:
    """Draw points, and over them as many thumbnails as find room without covering one another.

    Args:
        places: x to the right and y upwards; both are drawn to the same scale.
        classes: class index of each, for its colour; below 0 for none.
        thumbnails: the picture of each point; () for points alone. The first ones come first where room is short.
        limits: least x, greatest x, least y, greatest y; None for those of the places.
        thumbnail: longer side in pixels.
        side: longer side of what is drawn, in pixels; the shorter one is at least half of it.
    """
    x, y, (height, width) = _on_paper(places, limits, side)
    colours = [class_colour(index) if index >= 0 else MUTED for index in classes]
    large = blank((height * SMOOTH, width * SMOOTH), PAPER)
    pen = ImageDraw.Draw(large)
    radius = RADIUS * SMOOTH
    for across, down, colour in zip(x, y, colours, strict=True):
        middle = across * SMOOTH, down * SMOOTH
        pen.ellipse([middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius], fill=colour)
    sheet = large.resize((width, height), Image.Resampling.LANCZOS)
    taken: list[tuple[float, float]] = []
    for across, down, colour, picture in zip(x, y, colours, thumbnails, strict=False):
        room = thumbnail + 2 * FRAME
        if all(abs(across - other) >= room or abs(down - beside) >= room for other, beside in taken):
            taken.append((across, down))
            image = fit_into(picture, (thumbnail, thumbnail))
            left, top = round(across - image.width / 2), round(down - image.height / 2)
            sheet.paste(Image.new("RGB", (image.width + 2 * FRAME, image.height + 2 * FRAME), colour), (left - FRAME, top - FRAME))
            sheet.paste(image, (left, top))
    ImageDraw.Draw(sheet).rectangle((0, 0, width - 1, height - 1), outline=RULE)
    return to_picture(sheet)


def class_legend(class_names: Sequence[str], classes: Sequence[int]) -> Picture:
    """The names of the classes that occur, each beside its colour; of very many the most frequent."""
    counts = {index: 0 for index in classes if index >= 0}
    for index in classes:
        if index >= 0:
            counts[index] += 1
    shown = sorted(sorted(counts, key=lambda index: -counts[index])[:MOST_NAMES])
    names = [shorten(class_names[index], NAME, LONGEST_NAME) for index in shown]
    row = line_height(NAME) + 4
    left_out = len(counts) - len(shown)
    more = f"and {left_out} more" if left_out else ""
    width = SWATCH + 8 + max((text_width(name, NAME) for name in [*names, more]), default=0)
    sheet = blank((max(1, row * (len(names) + bool(more))), width), PAPER)
    for number, (index, name) in enumerate(zip(shown, names, strict=True)):
        top = number * row
        ImageDraw.Draw(sheet).rectangle((0, top + 3, SWATCH - 1, top + SWATCH + 2), fill=class_colour(index))
        write(sheet, (SWATCH + 8, top), name, NAME, INK)
    if more:
        write(sheet, (0, len(names) * row), more, NAME, MUTED)
    return to_picture(sheet)


def _on_paper(places: Tensor, limits: tuple[float, float, float, float] | None, side: int) -> tuple[list[float], list[float], Size]:
    """Pixels from the left and from the top, and the height and width of the paper."""
    x, y = places.double().T
    ends = limits or tuple(map(float, (x.min(), x.max(), y.min(), y.max())))
    spread = max(ends[1] - ends[0], ends[3] - ends[2], 1e-12)
    scale = (side - 2 * BORDER) / spread
    middle = (ends[0] + ends[1]) / 2, (ends[2] + ends[3]) / 2
    height, width = (max(side // 2, round((high - low) * scale) + 2 * BORDER) for low, high in (ends[2:], ends[:2]))
    across, down = width / 2 + (x - middle[0]) * scale, height / 2 - (y - middle[1]) * scale
    low = BORDER / 2
    return across.clamp(low, width - low).tolist(), down.clamp(low, height - low).tolist(), (height, width)
