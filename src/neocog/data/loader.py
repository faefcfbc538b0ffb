"""Makes batches of a dataset's pictures and targets; nothing is random here but the order."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.batch import Batch, fit_matrices
from neocog.data.dataset import Dataset
from neocog.data.pixels import Gathered
from neocog.data.survey import default_threads
from neocog.images import Picture, Size, resize, to_channels, to_one_depth
from neocog.machine import available_memory
from neocog.random import generator
from neocog.targets import Clean, Labels, Mask, Target, pad_to_one_size, stack

__all__ = ["Loader", "order"]

MOST_MEMORY = 0.25  # of what is available at the start, for decoded pictures and their targets


def order(count: int, seed: int, epoch: int) -> Int64[Tensor, "n"]:
    """The order in which an epoch goes through its pictures: a permutation of 0 to count - 1."""
    return torch.randperm(count, generator=generator(seed, "order", epoch))


class _Sample(NamedTuple):
    """A picture at the scale at which it is shown, its target likewise, and the height and width of its source."""

    picture: Picture
    target: Target
    source: Size


class Loader:
    """Batches of a dataset.

    With gathered pixels a batch has their canvas, and `to_input` maps the source onto it. Without, it has the
    pictures in their own pixels, or at the scale at which the task shows them, padded at the right and at the bottom
    where their sizes differ; what was decoded is kept as long as it fills no more than a quarter of the memory that was
    available at first.

    Args:
        dataset: whose pictures.
        gathered: its pixels at one canvas; None for tasks that answer in source pixels.
        channels: 1 or 3; gathered pixels must have as many.
        scaled: gives height and width at which a picture and its mask are kept, of those of the source; None for these
            themselves.
    """

    def __init__(
        self, dataset: Dataset, gathered: Gathered | None, channels: Literal[1, 3], scaled: Callable[[Size], Size] | None = None
    ) -> None:
        if gathered is not None and gathered.pixels.shape[1] != channels:
            raise ValueError(f"expected gathered pixels with {channels} channels, found {gathered.pixels.shape[1]}")
        self.dataset = dataset
        self.gathered = gathered
        self.channels = channels
        self._classes = dataset.class_indices() if gathered is not None else None
        self._scaled = scaled
        self._kept: dict[int, _Sample] = {}
        self._truths: dict[int, Target] = {}  # in source pixels, where these are not what is kept
        self._lock = threading.Lock()
        self._room = int(MOST_MEMORY * available_memory()) if gathered is None else 0

    def batch(self, indices: Int64[Tensor, "b"]) -> Batch:
        """The pictures of these indices, in this order, with the indices as their keys.

        Pictures in their own pixels are counted round: an index beyond the last stands for a picture again, under
        another key. Those of 16 bits are float.

        Raises:
            PictureError: a picture cannot be used; those that the splits set aside are not to be asked for.
        """
        if self.gathered is None:
            return self._from_sources(indices)
        sizes = self.gathered.sizes[indices]
        return Batch(
            pixels=self.gathered.pixels.index_select(0, indices),  # whole rows at a time; by an index each value is looked up
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

    def keep(self, index: int, picture: Picture) -> None:
        """Take a picture that was decoded for another reason, so that it need not be decoded again; may be called from several threads.

        Args:
            index: which.
            picture: upright, as large as its source.
        """
        if self._scaled is not None and self._room > 0:
            self._store(index, self._at_scale(to_channels(picture, self.channels), self.dataset.target(index)))

    def truth(self, index: int) -> Target:
        """The target in source pixels; kept as the pictures are."""
        index %= len(self.dataset)
        if self._scaled is None:
            return self._kept[index].target if index in self._kept else self.dataset.target(index)
        if index not in self._truths:
            target = self.dataset.target(index)
            if not self._has_room(target.classes.nbytes if isinstance(target, Mask) else 0):
                return target
            self._truths[index] = target
        return self._truths[index]

    def _from_sources(self, indices: Int64[Tensor, "b"]) -> Batch:
        samples = self._samples((indices % len(self.dataset)).tolist())
        pictures = to_one_depth([sample.picture for sample in samples])
        sizes = torch.tensor([picture.shape[-2:] for picture in pictures], dtype=torch.int64)
        sources = torch.tensor([sample.source for sample in samples], dtype=torch.int64)
        pixels = pad_to_one_size(pictures, fill=0)
        valid = None
        if not (sizes == sizes[0]).all():
            rows, columns = torch.arange(pixels.shape[-2]), torch.arange(pixels.shape[-1])
            valid = (rows[None, :, None] < sizes[:, 0, None, None]) & (columns[None, None, :] < sizes[:, 1, None, None])
        if pixels.dtype == torch.uint16:
            pixels = pixels.to(torch.float32).div_(65535)
        return Batch(
            pixels=pixels,
            targets=stack([sample.target for sample in samples]),
            keys=indices,
            source_sizes=sources,
            to_input=torch.diag_embed(torch.cat([(sizes / sources).flip(1), torch.ones(len(samples), 1)], dim=1)),
            valid=valid,
        )

    def _samples(self, indices: Sequence[int]) -> list[_Sample]:
        missing = [index for index in dict.fromkeys(indices) if index not in self._kept]
        if not missing:
            return [self._kept[index] for index in indices]
        with ThreadPoolExecutor(min(default_threads(), len(missing))) as threads:
            made = dict(zip(missing, threads.map(self._sample, missing), strict=True))
        samples = [self._kept[index] if index in self._kept else made[index] for index in indices]
        for index, sample in made.items():
            self._store(index, sample)
        return samples

    def _store(self, index: int, sample: _Sample) -> None:
        if index not in self._kept and self._has_room(_bytes(sample)):
            self._kept[index] = sample

    def _has_room(self, size: int) -> bool:
        """Whether so many bytes more may be kept; they then count as kept."""
        with self._lock:
            fits = size <= self._room
            self._room -= size if fits else 0
        return fits

    def _sample(self, index: int) -> _Sample:
        target = self.dataset.target(index)
        if not isinstance(target, Clean):
            return self._at_scale(to_channels(self.dataset.picture(index), self.channels), target)
        clean = to_channels(target.picture, self.channels)
        size = clean.shape[-2], clean.shape[-1]
        if not target.disturbed:
            return _Sample(clean, replace(target, picture=clean), size)
        noisy = self.dataset.picture(index, depth=16 if clean.dtype == torch.uint16 else 8)
        return _Sample(to_channels(noisy, self.channels), replace(target, picture=clean), size)

    def _at_scale(self, picture: Picture, target: Target) -> _Sample:
        source = picture.shape[-2], picture.shape[-1]
        size = source if self._scaled is None else self._scaled(source)
        if size != source and isinstance(target, Mask):
            target = replace(target, classes=resize(target.classes[None], size, "nearest")[0])
        return _Sample(resize(picture, size), target, source)


def _bytes(sample: _Sample) -> int:
    picture, target = sample.picture, sample.target
    if isinstance(target, Clean):
        return int(picture.nbytes + (target.picture.nbytes if target.picture is not picture else 0))
    return int(picture.nbytes + (target.classes.nbytes if isinstance(target, Mask) else 0))
