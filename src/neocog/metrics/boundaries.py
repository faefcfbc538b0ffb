"""How well the borders of two masks agree, class by class.

G. Csurka, D. Larlus, F. Perronnin, "What is a good evaluation measure for semantic segmentation?", 2013,
https://doi.org/10.5244/C.27.32, section 3.2.
"""

from math import hypot, isqrt

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

__all__ = ["TOLERANCE", "border", "boundary_f1", "near", "tolerance_in_pixels"]

TOLERANCE = 0.0075
"""How far borders may lie apart and still agree, as a share of the picture's diagonal: the paper's 0.75 %."""

CLASSES_A_WORD = 63  # bits of a pixel that stand for classes; the sign stays free


def boundary_f1(answer: Int64[Tensor, "h w"], truth: Int64[Tensor, "h w"], count: int, tolerance: float) -> Float[Tensor, "k"]:
    """The harmonic mean of the border's precision and recall of each class; not a number for a class without a border in both.

    Precision is the share of the answer's border pixels that have one of the truth's within the tolerance, recall the
    reverse; both are 0 for a border that only one of the two masks has.

    Args:
        answer: class indices; -1 where nothing counts.
        truth: likewise.
        count: how many classes there are.
        tolerance: in pixels, Euclidean, the limit included.
    """
    borders = border(answer), border(truth)
    scores = torch.full((count,), torch.nan, dtype=torch.float64)
    for start in range(0, count, CLASSES_A_WORD):
        size = min(CLASSES_A_WORD, count - start)
        words = [_as_bits(mask, edge, start, size) for mask, edge in zip((answer, truth), borders, strict=True)]
        (found, hit), (wanted, met) = (
            _matched(words[own], near(words[1 - own], tolerance), (answer, truth)[own] - start, size) for own in (0, 1)
        )
        precision, recall = hit / found.clamp(min=1), met / wanted.clamp(min=1)
        score = 2 * precision * recall / (precision + recall).clamp(min=1e-12)
        scores[start : start + size] = torch.where((found > 0) | (wanted > 0), score, torch.nan)
    return scores


def border(mask: Int64[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Labelled pixels with a labelled pixel of another class above, below, to the left or to the right."""
    edge = torch.zeros_like(mask, dtype=torch.bool)
    for axis in (0, 1):
        length = mask.shape[axis] - 1
        first, second = mask.narrow(axis, 0, length), mask.narrow(axis, 1, length)
        differ = (first != second) & (first >= 0) & (second >= 0)
        for start in (0, 1):
            side = edge.narrow(axis, start, length)
            side |= differ
    return edge


def near(bits: Int64[Tensor, "h w"], distance: float) -> Int64[Tensor, "h w"]:
    """For each pixel the bits of all pixels within a Euclidean distance, joined by or."""
    radius = int(distance)
    reach = [isqrt(int(distance * distance) - step * step) for step in range(radius + 1)]  # pixels to the side, so many rows away
    wide = {0: bits}
    for step in range(1, radius + 1):
        wide[step] = _shifted_in(_shifted_in(wide[step - 1], bits, 1, step), bits, 1, -step)
    joined = wide[reach[0]]
    for step in range(1, radius + 1):
        for sign in (-1, 1):
            joined = _shifted_in(joined, wide[reach[step]], 0, sign * step)
    return joined


def tolerance_in_pixels(height: int, width: int, share: float) -> float:
    """A share of a picture's diagonal."""
    return share * hypot(height, width)


def _shifted_in(joined: Tensor, bits: Tensor, axis: int, offset: int) -> Tensor:
    """The bits of one tensor joined with another's, moved along an axis; what leaves the picture is lost."""
    length = bits.shape[axis] - abs(offset)
    if length <= 0:
        return joined
    joined = joined.clone()
    target = joined.narrow(axis, max(offset, 0), length)
    target |= bits.narrow(axis, max(-offset, 0), length)
    return joined


def _as_bits(mask: Tensor, edge: Tensor, start: int, size: int) -> Tensor:
    """For each border pixel the bit of its class, 0 elsewhere."""
    inside = edge & (mask >= start) & (mask < start + size)
    return torch.where(inside, torch.ones_like(mask) << (mask - start).clamp(0, size - 1), 0)


def _matched(own: Tensor, others: Tensor, mask: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """How many border pixels each class has, and how many of them have one of their class near in the other mask."""
    places = own != 0
    classes, met = mask[places], (own & others)[places] != 0
    found, hit = (torch.bincount(some, minlength=size).to(torch.float64) for some in (classes, classes[met]))
    return found, hit
