"""Restoring pictures: the noisy one in, the restored one out, with its channels, its depth and what its file says of it."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from neocog.data.files import read_file
from neocog.engine.tiles import answers_by_tiles
from neocog.files import write_atomically
from neocog.images import Picture, decode, encode_png, inspect, metadata_of, to_channels
from neocog.run import Trained
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


def restore(trained: Trained, picture: Picture) -> Clean:
    """The picture without its noise, with the channels and the depth that it has; in tiles where it is large.

    A network for grey pictures restores each channel of a coloured one by itself. One for colours sees a grey picture
    as one of equal red, green and blue, and the mean of what it answers counts.

    Args:
        trained: a network that denoises.
        picture: of any size.
    """
    model = trained.model.eval()
    depth: Literal[8, 16] = 16 if picture.dtype == torch.uint16 else 8
    grey = trained.preprocess.channels == 1
    images = picture[:, None] if grey else to_channels(picture, 3)[None]  # "b c h w"
    restored = torch.empty_like(picture)
    for tile, answer in answers_by_tiles(model, trained.plan, images):
        tile.core.of(restored).copy_(quantised(_with_channels(answer, len(picture)), depth))
    return Clean(restored)


def write_restored(path: Path, restored: Clean, source: Path) -> None:
    """Write a restored picture as a PNG file, with the metadata of the file that it comes from.

    Raises:
        SurroundingsError: the folder cannot be written to.
        PictureError: the file that it comes from is gone.
    """
    write_atomically(path, encode_png(restored.picture, metadata_of(read_file(source))))


def _with_channels(answer: Tensor, channels: int) -> Tensor:
    """From the network's answer "b c h w" to the picture's "channels h w"."""
    if answer.shape[1] == 1:
        return answer[:, 0]
    return answer[0] if channels == 3 else answer.mean(dim=1)
