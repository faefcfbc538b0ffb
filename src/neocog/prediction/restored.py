"""Restoring pictures: the noisy one in, the restored one out, with its channels, its depth and what its file says of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from neocog.data.files import read_file
from neocog.evaluation.cost import Stopwatch
from neocog.evaluation.ensemble import Ensemble
from neocog.files import write_atomically
from neocog.images import Picture, decode, encode_png, inspect, metadata_of
from neocog.targets import Clean
from neocog.tasks.denoise import quantised

__all__ = ["read_as_it_is", "restore", "write_restored"]


def read_as_it_is(path: Path) -> Picture:
    """The picture of a file with the channels and the depth that it has.

    Raises:
        PictureError: the file cannot be used.
    """
    data = read_file(path)
    depth: Literal[8, 16] = 16 if inspect(data).depth == 16 else 8
    return decode(data, channels="native", depth=depth)


def restore(ensemble: Ensemble, picture: Picture, watches: Sequence[Stopwatch]) -> Clean:
    """The picture without its noise, with the channels and the depth that it has; in tiles where it is large.

    A network for grey pictures restores each channel of a coloured one by itself. One for colours sees a grey picture
    as one of equal red, green and blue, and the mean of what it answers counts.

    Args:
        ensemble: one network that denoises or several, and the views.
        picture: of any size.
        watches: of the networks; they go on by the seconds that it takes.
    """
    depth: Literal[8, 16] = 16 if picture.dtype == torch.uint16 else 8
    grey = ensemble.first.preprocess.channels == 1
    restored = torch.empty_like(picture)
    if grey:
        parts = [(picture[channel : channel + 1], restored[channel : channel + 1]) for channel in range(len(picture))]
    else:
        parts = [(picture.expand(3, -1, -1), restored)]
    for noisy, kept in parts:
        for region, answer in ensemble.by_tiles(noisy[None], watches):
            images = answer[0] if len(kept) == answer.shape[1] else answer[0].mean(dim=0, keepdim=True)
            region.of(kept).copy_(quantised(images, depth))
    return Clean(restored)


def write_restored(path: Path, restored: Clean, source: Path) -> None:
    """Write a restored picture as a PNG file, with the metadata of the file that it comes from.

    Raises:
        SurroundingsError: the folder cannot be written to.
        PictureError: the file that it comes from is gone.
    """
    write_atomically(path, encode_png(restored.picture, metadata_of(read_file(source))))
