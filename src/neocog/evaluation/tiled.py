"""Several answers about a picture in its own pixels, tile by tile: no more than a tile of each is in memory at once.

All networks and all views answer for the same parts of the picture. Each view has windows of its own around them, which begin
where those of the whole picture, laid so, would: the mean is that of whole answers.
"""

import time
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from neocog.augment.resample import as_float
from neocog.engine import forward, obeying
from neocog.engine.tiles import Parting, Region, parting_for
from neocog.evaluation.cost import Stopwatch
from neocog.evaluation.views import Orientation
from neocog.run import Trained

__all__ = ["told_by_tiles"]


def told_by_tiles(
    networks: Sequence[Trained], ways: Sequence[Orientation], pixels: Shaped[Tensor, "b c h w"], watches: Sequence[Stopwatch]
) -> Iterator[tuple[Region, list[list[Tensor]]]]:
    """What networks answer about whole pictures.

    Args:
        networks: each answers at the height and width of its input.
        ways: how the pictures are laid, in each view.
        pixels: integers of 8 or 16 bits, or in [0, 1], anywhere; no copy of them all is made.
        watches: of the networks; they go on by the seconds that it takes.

    Yields:
        each region of the pictures, and for each network what it answers there in each view, brought back: float32
        "b k rows columns" on its device.
    """
    size = pixels.shape[2], pixels.shape[3]
    parting = parting_for([network.model for network in networks], size)
    regions = [Region(0, 0, *size)] if parting is None else [tile.core for tile in parting.tiles(size)]
    for region in regions:
        yield region, [_told(network, ways, pixels, (region, parting), watch) for network, watch in zip(networks, watches, strict=True)]


def _told(
    network: Trained, ways: Sequence[Orientation], pixels: Tensor, part: tuple[Region, Parting | None], watch: Stopwatch
) -> list[Float[Tensor, "b k rows columns"]]:
    """What one network answers for a region, in each view."""
    if not watch.warm:
        _answer(network, ways[0], pixels, *part)
        watch.warm = True
    answers: list[Tensor] = []
    laps: list[float] = []
    started = time.perf_counter()
    for way in ways:
        answers.append(_answer(network, way, pixels, *part))
        answers[-1][:1].cpu()  # an accelerator has then done all that it was asked before
        laps.append(time.perf_counter() - started)
    watch.views, watch.single, watch.whole = len(ways), watch.single + laps[0], watch.whole + laps[-1]
    return answers


def _answer(network: Trained, way: Orientation, pixels: Tensor, region: Region, parting: Parting | None) -> Tensor:
    """In one view, brought back."""
    size = pixels.shape[2], pixels.shape[3]
    laid, core = way.of_size(size), way.of_region(region, size)
    window = Region(0, 0, *laid) if parting is None else parting.window_of(core, laid)
    shown = way.of(way.inverse.of_region(window, laid).of(pixels))
    with torch.inference_mode(), obeying(network.plan):
        answer = forward(network.model.eval(), as_float(shown).to(network.plan.device), network.plan)
    return way.inverse.of(core.within(window).of(answer))
