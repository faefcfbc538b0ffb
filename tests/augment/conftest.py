"""Batches that several tests share."""

import pytest
import torch

from neocog.augment import AUGMENTATIONS, augment
from neocog.batch import Batch
from neocog.targets import Labels, pad_to_one_size


@pytest.fixture
def make_batch():
    """Random pictures of one size, or of the given sizes, padded."""

    def make(count=4, height=16, width=None, *, channels=3, sizes=None, targets="labels", seed=0):
        numbers = torch.Generator().manual_seed(seed)
        sizes = sizes or [(height, width or height)] * count
        pictures = [torch.randint(0, 256, (channels, *size), generator=numbers, dtype=torch.uint8) for size in sizes]
        pixels = pad_to_one_size(pictures, fill=0)
        shown = pad_to_one_size([torch.ones(1, *size, dtype=torch.bool) for size in sizes], fill=0)[:, 0]
        classes = torch.arange(len(sizes))
        return Batch(
            pixels,
            Labels(classes, classes, torch.ones(len(sizes))) if targets == "labels" else targets,
            torch.arange(len(sizes)) + 100,
            torch.tensor(sizes),
            torch.eye(3).repeat(len(sizes), 1, 1),
            None if shown.all() else shown,
        )

    return make


@pytest.fixture
def with_members():
    """Augment with members by name: their defaults for None, else the given options."""

    def apply(batch, size=None, *, fit="cover", seed=7, epoch=0, step=0, geometry="affine", **members):
        options = {name: AUGMENTATIONS[name].Options(**(values or {})) for name, values in members.items()}
        size = size or tuple(batch.pixels.shape[2:])
        return augment(batch, options, fit=fit, size=size, geometry=geometry, seed=seed, epoch=epoch, step=step)

    return apply
