"""Large pictures in pieces: windows that overlap by a halo, which is cut away, so that the answer is that of the whole picture.

A window is computed with as much of its surroundings as its core's answer depends on; where it ends at the
picture's own edge, the network pads it there as it would pad the whole picture. So the pieces join without a
seam, and the memory that is needed depends on the window, not on the picture.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from neocog.augment.resample import as_float
from neocog.engine.forward import forward
from neocog.engine.plan import Plan, obeying
from neocog.images import Size
from neocog.models.network import Network

__all__ = ["WINDOW", "Neighbourhood", "Parting", "Region", "Tile", "answers_by_tiles", "neighbourhood", "parting_for", "stream", "tiles"]

WINDOW = 512
"""Height and width in pixels of a window: large enough that a halo costs little, small enough for any memory."""

FARTHEST = 1024  # pixels; a network that sees farther has no tiles that are much smaller than pictures


@dataclass(frozen=True)
class Region:
    """Rows `top` to `bottom` and columns `left` to `right` of a picture, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def within(self, window: "Region") -> "Region":
        """The same pixels, counted from the upper left corner of a region that holds them."""
        return Region(self.top - window.top, self.left - window.left, self.bottom - window.top, self.right - window.left)

    def of(self, maps: Shaped[Tensor, "*leading h w"]) -> Shaped[Tensor, "*leading rows columns"]:
        """The region's part of a picture's maps."""
        return maps[..., self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Tile:
    """One piece of the work.

    Attributes:
        window: what the network sees, in pixels of the picture.
        core: what it answers for; the cores cover the picture once.
    """

    window: Region
    core: Region

    @property
    def inner(self) -> Region:
        """The core in pixels of the window."""
        return self.core.within(self.window)


@dataclass(frozen=True)
class Neighbourhood:
    """What a network's answer for a pixel depends on.

    Attributes:
        halo: pixels to each side, at most.
        grid: the window may begin at multiples of this many pixels only: the network's largest stride.
    """

    halo: int
    grid: int


@dataclass(frozen=True)
class Parting:
    """How large pictures are parted for one network, or for several that answer for the same cores.

    Attributes:
        window: height and width that a window has at most, but for what lets it begin on the grid.
        reach: the farthest that any of the networks sees, and a grid that suits all.
    """

    window: int
    reach: Neighbourhood

    def tiles(self, size: Size) -> list[Tile]:
        """See `tiles`."""
        return tiles(size, self.window, self.reach.halo, self.reach.grid)

    def window_of(self, core: Region, size: Size) -> Region:
        """What must be seen to answer for a core: that of `tiles` for one of its cores.

        Args:
            core: of the picture, or of a picture that is laid otherwise.
            size: height and width of that picture.
        """
        top, bottom = self._span(core.top, core.bottom, size[0])
        left, right = self._span(core.left, core.right, size[1])
        return Region(top, left, bottom, right)

    def _span(self, start: int, end: int, length: int) -> tuple[int, int]:
        first = _first(start, length, self.window, self.reach)
        return first, min(max(first + self.window, end + self.reach.halo), length)


def parting_for(models: Sequence[Network], size: Size) -> Parting | None:
    """How pictures of a size are parted for networks; None where a window holds them, or one of the networks sees all of them.

    Args:
        models: each answers at the height and width of its input.
        size: height and width.
    """
    if max(size) <= WINDOW:
        return None
    reaches = [reach for model in models if (reach := neighbourhood(model)) is not None]
    if len(reaches) < len(models):
        return None
    reach = Neighbourhood(max(one.halo for one in reaches), math.lcm(*(one.grid for one in reaches)))
    return Parting(-(-max(WINDOW, 4 * reach.halo) // reach.grid) * reach.grid, reach)


def tiles(size: Size, window: int, halo: int, grid: int = 1) -> list[Tile]:
    """Part a picture.

    Args:
        size: height and width of the picture.
        window: height and width that a window has at most.
        halo: pixels by which it reaches beyond its core, except at the picture's edge.
        grid: windows begin at multiples of it.

    Returns:
        row by row; a single tile for a picture that a window holds.

    Raises:
        ValueError: the window has no room for a core between its halos.
    """
    if window < 2 * halo + 2 * grid:
        raise ValueError(f"expected a window of at least {2 * halo + 2 * grid} pixels for a halo of {halo}, found {window}")
    rows, columns = (_spans(length, window, Neighbourhood(halo, grid)) for length in size)
    return [
        Tile(Region(top, left, bottom, right), Region(first, start, last, end))
        for top, bottom, first, last in rows
        for left, right, start, end in columns
    ]


def _spans(length: int, window: int, reach: Neighbourhood) -> list[tuple[int, int, int, int]]:
    """Along one side: begin and end of each window, begin and end of its core."""
    spans: list[tuple[int, int, int, int]] = []
    start = 0
    while start < length:
        first = _first(start, length, window, reach)
        last = min(first + window, length)
        end = length if last == length else last - reach.halo
        spans.append((first, last, start, end))
        start = end
    return spans


def _first(start: int, length: int, window: int, reach: Neighbourhood) -> int:
    """Where the window of a core begins; the last one is as large as the others, so that no network gets a sliver too small for it."""
    first = max(start - reach.halo, 0) // reach.grid * reach.grid
    return min(first, max(-(-(length - window) // reach.grid) * reach.grid, 0))


def stream(
    compute: Callable[[Shaped[Tensor, "b c rows columns"]], Tensor], pixels: Shaped[Tensor, "b c h w"], parts: list[Tile]
) -> Iterator[tuple[Tile, Tensor]]:
    """What a network answers, piece by piece; each is forgotten before the next is computed.

    Args:
        compute: the answer for a window, at its height and width.
        pixels: the whole picture, in any type; no copy of it is made.
        parts: from `tiles`.

    Yields:
        each tile with the answer for its core, "b k rows columns".
    """
    for tile in parts:
        yield tile, tile.inner.of(compute(tile.window.of(pixels)))


def answers_by_tiles(
    model: Network, plan: Plan, pixels: Shaped[Tensor, "b c h w"]
) -> Iterator[tuple[Tile, Float[Tensor, "b k rows columns"]]]:
    """What a network answers about whole pictures, in tiles where they are large; see `stream`.

    A network whose answer for a pixel depends on all of the picture gets it in one piece.

    Args:
        model: prepared for the plan, in evaluation mode; it answers at the height and width of its input.
        plan: how to compute.
        pixels: integers of 8 or 16 bits, or in [0, 1], anywhere.

    Yields:
        each tile with the answer for its core as float32, on the plan's device.
    """
    size: Size = (pixels.shape[2], pixels.shape[3])
    parting = parting_for([model], size)
    parts = [Tile(Region(0, 0, *size), Region(0, 0, *size))] if parting is None else parting.tiles(size)

    def compute(window: Tensor) -> Tensor:
        with torch.inference_mode(), obeying(plan):
            return forward(model, as_float(window).to(plan.device), plan)

    return stream(compute, pixels, parts)


def neighbourhood(model: Network) -> Neighbourhood | None:
    """How far a network sees, measured: what is not a number in its input is not a number wherever it has an effect.

    The network answers at the height and width of its input, and is on the processor or an accelerator; its mode
    stays as it is.

    Returns:
        None where the answer for a pixel depends on all of the picture, or on more than 1,024 pixels to a side.
    """
    grid = max((stage.stride for stage in model.stage_info), default=1)
    training = model.training
    try:
        model.eval()
        reaches = [_reach(model, grid, down=down) for down in (True, False)]
    finally:
        model.train(training)
    found = [reach for reach in reaches if reach is not None]
    # The probe is as wide as the grid: the pixel with the effect may be the farther one.
    return Neighbourhood(max(found) + grid - 1, grid) if len(found) == len(reaches) else None


def _reach(model: Network, grid: int, *, down: bool) -> int | None:
    """Along one axis, how far the effect of a strip reaches that is as wide as the grid."""
    first = next(model.parameters())
    across = max(grid, 32)
    side = 4 * across
    while side <= 2 * (FARTHEST + grid):
        start = side // 2 // grid * grid
        line = torch.zeros(side, dtype=first.dtype, device=first.device)
        line[start : start + grid] = math.nan
        strip = line[:, None].expand(side, across) if down else line.expand(across, side)
        with torch.inference_mode():
            answer = model(strip.expand(1, model.preprocess.channels, *strip.shape).contiguous())
        touched = answer.isnan().any(dim=1)[0].any(dim=1 if down else 0).nonzero().flatten()
        if len(touched) and int(touched[0]) > 0 and int(touched[-1]) < side - 1:
            return max(start - int(touched[0]), int(touched[-1]) - (start + grid - 1), 0)
        side *= 2
    return None
