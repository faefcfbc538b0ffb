"""Makes batches of a dataset's pictures and targets; nothing is random here but the order."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Batch, fit_matrices
from neocog.data.dataset import Dataset
from neocog.data.pixels import Gathered
from neocog.data.survey import default_threads
from neocog.images import Picture, to_channels
from neocog.machine import available_memory
from neocog.random import generator
from neocog.targets import Clean, Labels, Mask, Target, pad_to_one_size, stack

__all__ = ["Loader", "order"]

MOST_MEMORY = 0.25  # of what is available at the start, for decoded pictures and their targets


def order(count: int, seed: int, epoch: int) -> Int64[Tensor, "n"]:
    """The order in which an epoch goes through its pictures: a permutation of 0 to count - 1."""
    return torch.randperm(count, generator=generator(seed, "order", epoch))


class Loader:
    """Batches of a dataset.

    With gathered pixels a batch has their canvas, and `to_input` maps the source onto it. Without, it has the
    pictures in their own pixels, padded at the right and at the bottom where their sizes differ; what was
    decoded is kept as long as it fills no more than a quarter of the memory that was available at first.

    Args:
        dataset: whose pictures.
        gathered: its pixels at one canvas; None for tasks that answer in source pixels.
        channels: 1 or 3; gathered pixels must have as many.
    """

    def __init__(self, dataset: Dataset, gathered: Gathered | None, channels: Literal[1, 3]) -> None:
        if gathered is not None and gathered.pixels.shape[1] != channels:
            raise ValueError(f"expected gathered pixels with {channels} channels, found {gathered.pixels.shape[1]}")
        self.dataset = dataset
        self.gathered = gathered
        self.channels = channels
        self._classes = dataset.class_indices() if gathered is not None else None
        self._kept: dict[int, tuple[Picture, Target]] = {}
        self._room = int(MOST_MEMORY * available_memory()) if gathered is None else 0

    def batch(self, indices: Int64[Tensor, "b"]) -> Batch:
        """The pictures of these indices, in this order.

        Raises:
            PictureError: a picture cannot be used; those that the splits set aside are not to be asked for.
        """
        if self.gathered is None:
            return self._from_sources(indices)
        sizes = self.gathered.sizes[indices]
        return Batch(
            pixels=self.gathered.pixels[indices],
            targets=self._targets(indices),
            keys=indices,
            source_sizes=sizes,
            to_input=fit_matrices("cover", sizes, self.gathered.canvas),
        )

    def _targets(self, indices: Int64[Tensor, "b"]) -> Labels:
        if self._classes is None:
            raise ValueError(f"expected labels for gathered pixels, found the task {self.dataset.task}")
        classes = self._classes[indices]
        return Labels(classes, classes.clone(), torch.ones(len(indices)))

    def _from_sources(self, indices: Int64[Tensor, "b"]) -> Batch:
        samples = self._samples(indices.tolist())
        pictures = [picture for picture, _ in samples]
        sizes = torch.tensor([picture.shape[-2:] for picture in pictures], dtype=torch.int64)
        pixels = pad_to_one_size(pictures, fill=0)
        valid = None
        if not (sizes == sizes[0]).all():
            rows, columns = torch.arange(pixels.shape[-2]), torch.arange(pixels.shape[-1])
            valid = (rows[None, :, None] < sizes[:, 0, None, None]) & (columns[None, None, :] < sizes[:, 1, None, None])
        return Batch(
            pixels=pixels,
            targets=stack([target for _, target in samples]),
            keys=indices,
            source_sizes=sizes,
            to_input=torch.eye(3).repeat(len(indices), 1, 1),
            valid=valid,
        )

    def _samples(self, indices: Sequence[int]) -> list[tuple[Picture, Target]]:
        missing = [index for index in dict.fromkeys(indices) if index not in self._kept]
        if not missing:
            return [self._kept[index] for index in indices]
        with ThreadPoolExecutor(min(default_threads(), len(missing))) as threads:
            made = dict(zip(missing, threads.map(self._sample, missing), strict=True))
        samples = [self._kept[index] if index in self._kept else made[index] for index in indices]
        for index, sample in made.items():
            size = _bytes(sample)
            if size <= self._room:
                self._room -= size
                self._kept[index] = sample
        return samples

    def _sample(self, index: int) -> tuple[Picture, Target]:
        picture = to_channels(self.dataset.picture(index), self.channels)
        target = self.dataset.target(index)
        return picture, Clean(to_channels(target.picture, self.channels)) if isinstance(target, Clean) else target


def _bytes(sample: tuple[Picture, Target]) -> int:
    picture, target = sample
    more = target.classes.nbytes if isinstance(target, Mask) else target.picture.nbytes if isinstance(target, Clean) else 0
    return int(picture.nbytes + more)
