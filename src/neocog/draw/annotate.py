"""A picture with what a network says about it, written underneath."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from neocog.draw.canvas import blank, line_height, shorten, text_width, to_image, to_picture, write
from neocog.draw.palette import INK, MUTED, PAPER, RIGHT, RULE
from neocog.images import Picture

__all__ = ["annotate"]

TEXT = 15
MARGIN = 10
SHORTEST_SIDE = 224
LONGEST_SIDE = 1600
NARROWEST = 300


def annotate(picture: Picture, answers: Sequence[tuple[str, float]], note: str = "") -> Picture:
    """The picture above a list of answers, each with a bar for its confidence.

    Args:
        picture: small ones are magnified by a whole factor, large ones shrunk, so that the text can be read.
        answers: class names and confidences in [0, 1], the most confident first.
        note: a last line, such as the true class.
    """
    image = _readable(picture)
    width = max(image.width, NARROWEST)
    row = line_height(TEXT) + 6
    height = MARGIN * 2 + row * (len(answers) + bool(note)) - 6
    sheet = blank((image.height + height, width), PAPER)
    sheet.paste(image, ((width - image.width) // 2, 0))
    y = image.height + MARGIN
    for number, (name, confidence) in enumerate(answers):
        _answer(sheet, y, name, confidence, first=number == 0)
        y += row
    if note:
        write(sheet, (MARGIN, y), shorten(note, TEXT, width - 2 * MARGIN), TEXT, MUTED)
    return to_picture(sheet)


def _readable(picture: Picture) -> Image.Image:
    image = to_image(picture)
    factor = max(1, -(-SHORTEST_SIDE // min(image.size)))
    if factor > 1 and max(image.size) * factor <= LONGEST_SIDE:
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image


def _answer(sheet: Image.Image, y: int, name: str, confidence: float, *, first: bool) -> None:
    share = f"{100 * confidence:.1f} %"
    bar = sheet.width // 4
    right = sheet.width - MARGIN
    left = right - text_width("100.0 %", TEXT) - 8 - bar
    height = line_height(TEXT)
    write(sheet, (MARGIN, y), shorten(name, TEXT, left - 2 * MARGIN), TEXT, INK if first else MUTED)
    draw = ImageDraw.Draw(sheet)
    upper, lower = y + height // 2 - 4, y + height // 2 + 4
    draw.rectangle((left, upper, left + bar - 1, lower), fill=RULE)
    filled = round(bar * min(max(confidence, 0.0), 1.0))
    if filled:
        draw.rectangle((left, upper, left + filled - 1, lower), fill=RIGHT)
    write(sheet, (right, y), share, TEXT, INK if first else MUTED, anchor="ra")
