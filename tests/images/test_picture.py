"""Resizing with each filter, against Pillow."""

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.images import cover, resize

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "nearest": Image.Resampling.NEAREST}


def noise(height=30, width=41):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8))


def theirs(picture, size, interpolation):
    image = Image.fromarray(picture.permute(1, 2, 0).numpy()).resize(size[::-1], FILTERS[interpolation])
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [(11, 17), (60, 70), (15, 90)])
def test_every_filter_is_pillow_s(size, interpolation):
    picture = noise()
    ours = resize(picture, size, interpolation)
    assert ours.dtype == torch.uint8
    # Pillow rounds between the two axes, and at the middle between two pixels to the other one.
    assert ((ours.int() - theirs(picture, size, interpolation).int()).abs() > 1).float().mean() < 0.1


@pytest.mark.parametrize("interpolation", FILTERS)
def test_sixteen_bits_are_resized_as_eight(interpolation):
    picture = noise()
    deep = resize((picture.int() * 257).to(torch.uint16), (11, 17), interpolation)
    assert (deep.int() / 257 - resize(picture, (11, 17), interpolation).int()).abs().max() <= 1


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("shape", [(30, 41), (2, 900)])  # the second is cut before it is resized
def test_covering_passes_the_filter_on(shape, interpolation):
    picture = noise(*shape)
    covered = cover(picture, (20, 20), interpolation)
    assert tuple(covered.shape) == (3, 20, 20)
    assert torch.equal(covered, cover(picture, (20, 20))) == (interpolation == "bilinear")
