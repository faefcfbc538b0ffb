"""From maps at a network's input back to the pixels of the source picture, some rows at a time."""

from collections.abc import Iterator
from math import ceil, floor

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neocog.images import Size

__all__ = ["rows_at_source"]

VALUES_AT_ONCE = 1 << 22
EXACT = 1e-3  # pixels; what rounding leaves of a whole number


def rows_at_source(maps: Float[Tensor, "k h w"], to_input: Float[Tensor, "3 3"], size: Size) -> Iterator[Float[Tensor, "k rows columns"]]:
    """The maps resampled bilinearly at the centres of the source's pixels, from the top to the bottom.

    What lies outside the picture in the input (letterbox) has no part in it: at the picture's rim the outermost points
    reach out. All rows of a large picture together would fill the memory.

    Args:
        maps: at the network's input.
        to_input: from source pixels (x, y, 1) to the input's; it scales and moves, and does not turn.
        size: height and width of the source.
    """
    down, across = (_line(float(to_input[i, i]), float(to_input[i, 2]), size[1 - i], maps.shape[2 - i]) for i in (1, 0))
    if down is None and across is None and maps.shape[1:] == size:
        yield maps
        return
    if len(maps) * size[0] * size[1] <= VALUES_AT_ONCE and _fills(down, size[0]) and _fills(across, size[1]):
        yield _enlarged(maps, down, across, size)  # several times as fast as products with weights that are mostly 0
        return
    rows, columns = _weights(down, size[0], maps), _weights(across, size[1], maps)
    wide = maps[:, rows[0] : rows[1], columns[0] : columns[1]] @ columns[2].T
    at_once = max(1, VALUES_AT_ONCE // (len(maps) * size[1]))
    for part in rows[2].split(at_once):
        yield part @ wide


def _line(scale: float, offset: float, source: int, length: int) -> tuple[float, float, int, int] | None:
    """Along one side: scale, offset, and the first and last point that show the picture; None where nothing moves."""
    if abs(scale - 1) * source < EXACT and abs(offset) < EXACT and source == length:
        return None
    first = min(max(ceil(offset - EXACT), 0), length - 1)
    last = max(min(floor(offset + scale * source + EXACT), length), first + 1)
    return scale, offset, first, last


def _fills(line: tuple[float, float, int, int] | None, source: int) -> bool:
    """Whether the picture covers its points from the first one's rim to the last one's."""
    return line is None or (abs(line[1] - line[2]) < EXACT and abs(line[0] * source - (line[3] - line[2])) < EXACT)


def _enlarged(
    maps: Tensor, down: tuple[float, float, int, int] | None, across: tuple[float, float, int, int] | None, size: Size
) -> Float[Tensor, "k rows columns"]:
    """The part that shows the picture, resized as a whole."""
    rows, columns = (slice(0, side) if line is None else slice(*line[2:]) for line, side in zip((down, across), size, strict=True))
    return functional.interpolate(maps[None, :, rows, columns].contiguous(), size=size, mode="bilinear", align_corners=False)[0]


def _weights(line: tuple[float, float, int, int] | None, source: int, maps: Tensor) -> tuple[int, int, Tensor]:
    """First and last point, and how much each of them counts for each source pixel."""
    if line is None:
        return 0, source, torch.eye(source, device=maps.device, dtype=maps.dtype)
    scale, offset, first, last = line
    centres = torch.arange(source, device=maps.device, dtype=torch.float64) + 0.5
    place = (centres * scale + offset - 0.5 - first).clamp(0, last - first - 1)
    points = torch.arange(last - first, device=maps.device, dtype=torch.float64)
    weights = (1 - (place[:, None] - points).abs()).clamp(min=0)
    return first, last, weights.to(maps.dtype)
