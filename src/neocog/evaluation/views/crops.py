"""The corners and the middle of a canvas that is larger than the input."""

from jaxtyping import Float
from torch import Tensor

from neocog.batch import Preprocess
from neocog.evaluation.views.see import middle
from neocog.evaluation.views.view import VIEWS, View, translations
from neocog.images import Size

MARGIN = 16 / 224
"""What lies on either side of the middle window, as a share of the input's side: 256 pixels for an input of 224."""


def _canvas(preprocess: Preprocess) -> Size:
    """The weights' own canvas, or the paper's margin around the input where theirs leaves none."""
    size, resize = preprocess.size, preprocess.resize
    if resize[0] > size[0] and resize[1] > size[1]:
        return resize
    height, width = (max(own, side + 2 * max(1, round(MARGIN * side))) for own, side in zip(resize, size, strict=True))
    return height, width


def _maps(canvas: Size, size: Size) -> Float[Tensor, "5 3 3"]:
    down, right = canvas[0] - size[0], canvas[1] - size[1]
    windows = [middle(canvas, size), (0, 0), (right, 0), (0, down), (right, down)]
    return translations([(-left, -top) for left, top in windows])


VIEWS.add(
    "crops",
    View(
        "the middle and the four corners of a larger canvas: 5 views, and with flip the 10 of AlexNet's paper",
        _maps,
        canvas=_canvas,
        source="Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 4.1",
    ),
)
