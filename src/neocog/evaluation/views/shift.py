"""Small shifts."""

from jaxtyping import Float
from torch import Tensor

from neocog.evaluation.views.view import VIEWS, View, translations
from neocog.images import Size

SHARE = 1 / 32
"""How far, as a share of the input's side: 7 pixels for an input of 224; at least one pixel."""


def _maps(canvas: Size, size: Size) -> Float[Tensor, "5 3 3"]:
    down, right = (max(1, round(SHARE * side)) for side in size)
    return translations([(0, 0), (right, 0), (-right, 0), (0, down), (0, -down)])


VIEWS.add("shift", View("as it is and a thirty-second of the input to either side, up and down: 5 views", _maps))
