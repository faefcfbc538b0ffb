"""All pictures of a dataset at one canvas, decoded once: what classification trains on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from neocog.data.arrays import ArrayDataset
from neocog.data.cache import PixelCache
from neocog.data.compact import Digests
from neocog.data.dataset import Dataset
from neocog.data.survey import Fault, Note, Survey, judge, survey
from neocog.errors import PictureError
from neocog.images import Interpolation, Picture, Size, cover, to_channels
from neocog.machine import available_memory

__all__ = ["Gathered", "Keep", "gather"]

Keep = Literal["auto", "memory", "disk"]
Progress = Callable[[int, int], None]

MOST_MEMORY = 0.25  # of what is available; more goes to disk

Run = Callable[[Callable[[int, Tensor], None]], Survey]
"""Makes the pass; it is given a function that takes an index and its row, and gives what the pass found."""


@dataclass(frozen=True)
class Gathered:
    """The pixels of a dataset; one row a picture, in the dataset's order.

    Attributes:
        pixels: covering the canvas; 0 for what cannot be used.
        sizes: height and width of the upright picture in its file; 0 for what cannot be used.
        digests: as `Dataset.digest`; empty for a file that cannot be read.
        faults: what cannot be used, by name.
        notes: what is worth knowing, by name.
    """

    pixels: UInt8[Tensor, "n c h w"]
    sizes: Int64[Tensor, "n 2"]
    digests: Digests
    faults: list[Fault]
    notes: list[Note]

    @property
    def canvas(self) -> Size:
        """Height and width of the pixels."""
        return self.pixels.shape[2], self.pixels.shape[3]


def gather(
    dataset: Dataset,
    *,
    canvas: Size,
    channels: Literal[1, 3],
    allow_bad: bool = False,
    progress: Progress | None = None,
    keep: Keep = "auto",
    interpolation: Interpolation = "bilinear",
) -> Gathered:
    """Read, hash and decode every picture in one pass, resized to cover a canvas.

    Args:
        dataset: whose pictures.
        canvas: height and width.
        channels: 1 for luma, 3 for red, green and blue.
        allow_bad: whether to go on however many pictures cannot be used.
        progress: told how many pictures are done, of how many.
        keep: where the pixels stay. "auto" takes the disk (memory-mapped, and found again by the next
            training) when they would fill more than a quarter of the available memory. Arrays that are at the
            canvas already stay where they are.
        interpolation: filter of the resizing.

    Raises:
        DataError: too many pictures cannot be used, or a class has none left.
        SurroundingsError: the disk has no room for the pixels.
    """
    array = dataset if isinstance(dataset, ArrayDataset) else None
    stored: Literal[1, 3] = 1 if array is not None and array.channels == 1 else channels  # grey rows are repeated by a view
    if array is not None and (array.channels, array.typical_size) == (stored, canvas):
        sizes = torch.tensor(canvas, dtype=torch.int64).repeat(len(array), 1)
        return Gathered(array.pixels.expand(-1, channels, -1, -1), sizes, array.digests(), [], [])
    size = len(dataset) * stored * canvas[0] * canvas[1]
    on_disk = keep == "disk" or (keep == "auto" and size > MOST_MEMORY * available_memory())

    def run(keep_row: Callable[[int, Tensor], None]) -> Survey:
        def take(index: int, picture: Picture) -> None:
            keep_row(index, cover(to_channels(picture, stored), canvas, interpolation))

        return survey(dataset, at_least=canvas, keep=take, progress=progress)

    shape = (len(dataset), stored, *canvas)
    pixels, found = (
        _on_disk(PixelCache(dataset, canvas, stored, interpolation), run) if on_disk and len(dataset) else _in_memory(shape, run)
    )
    judge(dataset, found.faults, allow_bad)
    return Gathered(pixels.expand(-1, channels, -1, -1), found.sizes, found.digests, found.faults, found.notes)


def _in_memory(shape: tuple[int, ...], run: Run) -> tuple[Tensor, Survey]:
    pixels = torch.zeros(shape, dtype=torch.uint8)

    def keep_row(index: int, row: Tensor) -> None:
        pixels[index] = row

    return pixels, run(keep_row)


def _on_disk(cache: PixelCache, run: Run) -> tuple[Tensor, Survey]:
    found = cache.load()
    if found is None and cache.has_candidates():
        found = cache.load_by_content([_digest(cache.dataset, index) for index in range(len(cache.dataset))])
    return found or cache.write(run)


def _digest(dataset: Dataset, index: int) -> bytes:
    try:
        return dataset.digest(index)
    except PictureError:
        return b""
