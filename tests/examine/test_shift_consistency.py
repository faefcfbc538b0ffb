"""Shifted copies against slices by hand, and the share of equal decisions against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from examine.handmade import asked, identity, loaded, noise
from neocog.augment import place
from neocog.data.loader import Loader
from neocog.errors import UsageError
from neocog.examine import shift_consistency
from neocog.examine.shift_consistency import drawn_shifts, shifted

PICTURES = 2000


def one_light_pixel(side):
    """Pictures that are dark but for a pixel in the middle."""
    pixels = torch.zeros(PICTURES, 1, side, side, dtype=torch.uint8)
    pixels[:, :, side // 2, side // 2] = 255
    return loaded(pixels, torch.zeros(PICTURES, dtype=torch.int64))


def parity_of_columns(size):
    """A network that says whether what is light lies in an even or an odd column."""
    odd = (torch.arange(size) % 2).float().repeat(size)
    layer = nn.Linear(size * size, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.stack([1 - odd, odd]))
        layer.bias.zero_()
    return nn.Sequential(nn.Flatten(), layer)


@pytest.mark.parametrize(("shift", "evens", "odds"), [(1, 1, 2), (2, 3, 2), (3, 3, 4)])
def test_a_network_whose_flips_are_known(shift, evens, odds):
    network = asked({}, parity_of_columns(8), channels=(), size=8, canvas=16)
    found = shift_consistency(network, one_light_pixel(16), torch.arange(PICTURES), shift=shift)
    first, second = drawn_shifts(torch.arange(PICTURES), shift)
    assert found.same == int(((first[:, 0] - second[:, 0]) % 2 == 0).sum())
    low, high = found.interval()
    assert low < (evens**2 + odds**2) / (2 * shift + 1) ** 2 < high
    assert high - low < 0.05
    assert (found.filled, found.shift, found.pictures) == ("real pixels", shift, PICTURES)
    assert found.consistency == found.same / PICTURES


def test_a_network_that_ignores_where_things_are_never_changes_its_mind():
    brightest = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    network = asked({}, brightest, channels=(), size=8, canvas=16)
    found = shift_consistency(network, one_light_pixel(16), torch.arange(500))
    assert (found.consistency, found.shift, found.same) == (1.0, 4, 500)
    assert found.interval()[1] == 1.0


def images_seen(network, loader, shift):
    """What enters the network: the first copies of all pictures, then the second ones."""
    seen = []
    network.model.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0].clone()))
    found = shift_consistency(network, loader, torch.arange(len(loader.dataset)), shift=shift)
    return [(copies * 255).round().to(torch.uint8).numpy() for copies in seen], found


@pytest.mark.parametrize(
    ("canvas", "shift", "filled"), [(8, 3, "reflection"), (12, 2, "real pixels"), (11, 1, "real pixels"), (12, 5, "reflection")]
)
def test_copies_are_windows_of_the_canvas_or_of_its_reflection(canvas, shift, filled):
    pixels = noise(40, canvas, 3)
    network = asked({}, nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), channels=(), size=8, canvas=canvas, in_channels=3)
    copies, found = images_seen(network, loaded(pixels, torch.zeros(40, dtype=torch.int64)), shift)
    assert found.filled == filled
    border, corner = shift, (canvas - 8 + 1) // 2
    padded = np.pad(pixels.numpy(), ((0, 0), (0, 0), (border, border), (border, border)), mode="reflect")
    for images, shifts in zip(copies, drawn_shifts(torch.arange(40), shift), strict=True):
        for image, picture, (x, y) in zip(images, padded, shifts.tolist(), strict=True):
            top, left = border + corner - y, border + corner - x  # shifted to the right: what was further left comes in
            np.testing.assert_array_equal(image, picture[:, top : top + 8, left : left + 8])


@pytest.mark.parametrize("canvas", [8, 11, 12])
def test_no_shift_is_what_evaluation_shows(canvas):
    batch = loaded(noise(5, canvas), torch.zeros(5, dtype=torch.int64)).batch(torch.arange(5))
    assert torch.equal(shifted(batch, torch.zeros(5, 2, dtype=torch.int64), (8, 8)).pixels, place(batch, "crop", (8, 8)).pixels)


def test_shifts_are_drawn_evenly_and_by_the_picture_alone():
    keys = torch.arange(20_000)
    first, second = drawn_shifts(keys, 2)
    both = torch.cat([first, second], dim=1) + 2
    for column in both.T:
        assert stats.chisquare(torch.bincount(column, minlength=5).numpy()).pvalue > 1e-3
    pairs = torch.bincount(both[:, 0] * 5 + both[:, 2], minlength=25)
    assert stats.chisquare(pairs.numpy()).pvalue > 1e-3
    assert torch.equal(drawn_shifts(keys[[7, 3]], 2)[1], second[[7, 3]])


@pytest.mark.parametrize(
    ("size", "canvas", "shift", "filled"), [(8, 8, 1, "reflection"), (32, 32, 4, "reflection"), (8, 12, 2, "real pixels")]
)
def test_the_shift_by_itself(size, canvas, shift, filled):
    network = asked(
        {"map": identity(1)}, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)), channels=(1,), size=size, canvas=canvas
    )
    found = shift_consistency(network, loaded(noise(4, canvas), torch.zeros(4, dtype=torch.int64)), torch.arange(4))
    assert (found.shift, found.filled) == (shift, filled)


@pytest.mark.parametrize("shift", [0, 8])
def test_impossible_shifts_are_refused(shift):
    network = asked({}, parity_of_columns(8), channels=(), size=8)
    with pytest.raises(UsageError) as caught:
        shift_consistency(network, loaded(noise(4, 8), torch.zeros(4, dtype=torch.int64)), torch.arange(4), shift=shift)
    assert str(caught.value) == f"expected: a shift of 1 to 7 pixels for 8x8 images\nfound: {shift}\nto do: choose another"


def test_networks_that_answer_in_source_pixels_are_refused():
    network = replace(asked({}, parity_of_columns(8), channels=(), size=8), task_name="denoise")
    loader = Loader(loaded(noise(4, 8), torch.zeros(4, dtype=torch.int64)).dataset, None, 1)
    with pytest.raises(UsageError) as caught:
        shift_consistency(network, loader, torch.arange(4))
    assert str(caught.value) == (
        "expected: a network that classifies, for shift consistency\nfound: handmade, for the task denoise\nto do: leave it away"
    )
