"""The two ways of cutting windows agree: slices on processors, indices elsewhere."""

import itertools

import torch

from neocog.augment.resample import _cut, _cut_by_index, as_float


def test_cutting_by_index_is_cutting_by_slices():
    pixels = torch.randint(0, 256, (16, 3, 12, 14), dtype=torch.uint8)
    numbers = torch.Generator().manual_seed(0)
    windows = []
    for x_sign, y_sign, turned in itertools.product((1, -1), (1, -1), (0, 1)):
        for _ in range(2):
            left, top = torch.randint(0, 5, (2,), generator=numbers).tolist()
            width, height = (5, 7) if turned else (7, 5)
            windows.append([left, top, width, height, x_sign, y_sign, turned])
    table = torch.tensor(windows)
    assert torch.equal(_cut(pixels, table), _cut_by_index(pixels, table))


def test_windows_that_are_not_turned_are_cut_the_same_at_once():
    numbers = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (16, 3, 12, 14), dtype=torch.uint8, generator=numbers)
    rows = [(*torch.randint(0, 6, (2,), generator=numbers).tolist(), 7, 5, *signs, 0) for signs in itertools.product((1, -1), repeat=2)]
    table = torch.tensor(rows * 4)
    for images in (pixels, pixels.to(memory_format=torch.channels_last), as_float(pixels)):
        assert torch.equal(_cut(images, table), _cut_by_index(images, table))


def test_floating_point_pixels_are_not_copied():
    images = torch.rand(1, 3, 4, 4)
    assert as_float(images) is images
    assert torch.equal(as_float(torch.full((1, 1, 1, 1), 255, dtype=torch.uint8)), torch.ones(1, 1, 1, 1))
