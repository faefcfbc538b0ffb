"""Histograms of directions in a grid of cells, as spokes over a picture; and one histogram as bars with stripes beneath."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from neocog.draw.canvas import blank, enlarged, line_height, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RULE, WRONG
from neocog.draw.palette import RIGHT as BAR
from neocog.images import Picture

__all__ = ["orientation_bars", "spokes"]

SMOOTH = 3  # drawn this many times as large, and shrunk
LABEL = 14
WIDTH, HEIGHT, ICON, SPACE = 56, 220, 40, 10  # of a bar, of the tallest, of the stripes, between two


def spokes(picture: Picture, histograms: Float[Tensor, "rows columns directions"], *, turn: float, side: int = 320) -> Picture:
    """Draw a grid of cells over a pale picture, and in each a spoke for every direction, as long as its number is large.

    Args:
        picture: a patch; it is magnified by a whole factor.
        histograms: none below 0; direction 0 is to the right, the next ones follow clockwise.
        turn: degrees that all directions make up: 360 draws arrows' shafts from the middle; 180 lines through it.
        side: shorter side that the patch is magnified to at least, in pixels.
    """
    image, _ = enlarged(picture, side)
    image = Image.blend(image, Image.new("RGB", image.size, PAPER), 0.55)
    large = image.resize((image.width * SMOOTH, image.height * SMOOTH), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(large)
    rows, columns, directions = histograms.shape
    height, width = large.height / rows, large.width / columns
    for number in range(1, rows):
        pen.line([(0, number * height), (large.width, number * height)], fill=MUTED, width=SMOOTH)
    for number in range(1, columns):
        pen.line([(number * width, 0), (number * width, large.height)], fill=MUTED, width=SMOOTH)
    most = max(float(histograms.max()), 1e-12)
    reach = min(height, width) / 2 - 2 * SMOOTH
    for row in range(rows):
        for column in range(columns):
            middle = (column + 0.5) * width, (row + 0.5) * height
            for direction in range(directions):
                angle = math.radians(direction * turn / directions)
                length = reach * float(histograms[row, column, direction]) / most
                step = length * math.cos(angle), length * math.sin(angle)
                start = middle if turn == 360 else (middle[0] - step[0], middle[1] - step[1])
                pen.line([start, (middle[0] + step[0], middle[1] + step[1])], fill=WRONG, width=2 * SMOOTH)
    return to_picture(large.resize(image.size, Image.Resampling.LANCZOS))


def orientation_bars(counts: Sequence[int]) -> Picture:
    """How many filters there are of each orientation, with stripes as they answer to beneath each bar.

    Args:
        counts: of directions of the wave at equal steps over half a turn, the first at 0 degrees: upright stripes.
    """
    foot = 8 + ICON + 4 + line_height(LABEL)
    head = line_height(LABEL) + 4
    sheet = blank((head + HEIGHT + foot, len(counts) * (WIDTH + SPACE) + SPACE), PAPER)
    pen, base = ImageDraw.Draw(sheet), head + HEIGHT
    most = max(*counts, 1)
    for number, count in enumerate(counts):
        left = SPACE + number * (WIDTH + SPACE)
        top = base - round(HEIGHT * count / most)
        if count:
            pen.rectangle((left, top, left + WIDTH - 1, base - 1), fill=BAR)
        write(sheet, (left + WIDTH / 2, top - 3), str(count), LABEL, INK, anchor="mb")
        degrees = 180 * number / len(counts)
        sheet.paste(_stripes(degrees), (left + (WIDTH - ICON) // 2, base + 8))
        write(sheet, (left + WIDTH / 2, base + 8 + ICON + 3), f"{degrees:g}°", LABEL, MUTED, anchor="ma")
    pen.line([(0, base), (sheet.width, base)], fill=RULE, width=2)
    return to_picture(sheet)


def _stripes(degrees: float) -> Image.Image:
    """A wave in that direction."""
    angle, image = math.radians(degrees), Image.new("L", (ICON, ICON))
    middle = (ICON - 1) / 2
    for y in range(ICON):
        for x in range(ICON):
            along = (x - middle) * math.cos(angle) + (y - middle) * math.sin(angle)
            image.putpixel((x, y), round(127.5 + 110 * math.cos(2 * math.pi * along / 14)))
    return image.convert("RGB")
