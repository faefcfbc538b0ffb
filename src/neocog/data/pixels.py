"""All pictures of a dataset at one canvas, decoded once: what classification trains on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from neocog.data.arrays import ArrayDataset
from neocog.data.cache import PixelCache
from neocog.data.dataset import Dataset
from neocog.data.survey import Fault, Note, Survey, judge, survey
from neocog.errors import PictureError
from neocog.images import Picture, Size, cover, to_channels
from neocog.machine import available_memory

__all__ = ["Gathered", "Keep", "gather"]

Keep = Literal["auto", "memory", "disk"]
Progress = Callable[[int, int], None]

MOST_MEMORY = 0.25  # of what is available; more goes to disk
ROWS_AT_ONCE = 1024


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
    digests: list[bytes]
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
    threads: int | None = None,
    allow_bad: bool = False,
    progress: Progress | None = None,
    keep: Keep = "auto",
) -> Gathered:
    """Read, hash and decode every picture in one pass, resized to cover a canvas.

    Args:
        dataset: whose pictures.
        canvas: height and width.
        channels: 1 for luma, 3 for red, green and blue.
        threads: how many read and decode; None for as many as suit the machine.
        allow_bad: whether to go on however many pictures cannot be used.
        progress: told how many pictures are done, of how many.
        keep: where the pixels stay. "auto" takes the disk (memory-mapped, and found again by the next
            training) when they would fill more than a quarter of the available memory.

    Raises:
        DataError: too many pictures cannot be used, or a class has none left.
        SurroundingsError: the disk has no room for the pixels.
    """
    if isinstance(dataset, ArrayDataset):
        return _from_array(dataset, canvas, channels)
    size = len(dataset) * channels * canvas[0] * canvas[1]
    on_disk = keep == "disk" or (keep == "auto" and size > MOST_MEMORY * available_memory())

    def run(keep_row: Callable[[int, Tensor], None]) -> Survey:
        def take(index: int, picture: Picture) -> None:
            keep_row(index, cover(to_channels(picture, channels), canvas))

        return survey(dataset, at_least=canvas, keep=take, threads=threads, progress=progress)

    pixels, found = (
        _on_disk(dataset, canvas, channels, run) if on_disk and len(dataset) else _in_memory(len(dataset), canvas, channels, run)
    )
    judge(dataset, found.faults, allow_bad)
    return Gathered(pixels, found.sizes, found.digests, found.faults, found.notes)


def _in_memory(count: int, canvas: Size, channels: int, run: Callable[[Callable[[int, Tensor], None]], Survey]) -> tuple[Tensor, Survey]:
    pixels = torch.zeros((count, channels, *canvas), dtype=torch.uint8)

    def keep_row(index: int, row: Tensor) -> None:
        pixels[index] = row

    return pixels, run(keep_row)


def _on_disk(
    dataset: Dataset, canvas: Size, channels: int, run: Callable[[Callable[[int, Tensor], None]], Survey]
) -> tuple[Tensor, Survey]:
    cache = PixelCache(dataset, canvas, channels)
    found = cache.load()
    if found is None and cache.has_candidates():
        found = cache.load_by_content([_digest(dataset, index) for index in range(len(dataset))])
    return found or cache.write(run)


def _digest(dataset: Dataset, index: int) -> bytes:
    try:
        return dataset.digest(index)
    except PictureError:
        return b""


def _from_array(dataset: ArrayDataset, canvas: Size, channels: Literal[1, 3]) -> Gathered:
    pixels = dataset.pixels
    if dataset.channels == 3 and channels == 1:
        pixels = torch.cat([_luma(rows) for rows in pixels.split(ROWS_AT_ONCE)])
    if dataset.typical_size != canvas:
        pixels = torch.cat([cover(rows.flatten(0, 1), canvas).unflatten(0, rows.shape[:2]) for rows in pixels.split(ROWS_AT_ONCE)])
    if dataset.channels == 1 and channels == 3:
        pixels = pixels.expand(-1, 3, -1, -1)
    sizes = torch.tensor(dataset.typical_size, dtype=torch.int64).repeat(len(dataset), 1)
    return Gathered(pixels, sizes, dataset.digests(), [], [])


def _luma(rows: UInt8[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n 1 h w"]:
    count, _, height, width = rows.shape
    tall = rows.transpose(0, 1).reshape(3, count * height, width)
    return to_channels(tall, 1).reshape(count, 1, height, width)
