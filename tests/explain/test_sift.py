"""The descriptor against closed forms and scikit-image's."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.feature import SIFT
from skimage.transform import rotate

from neocog.explain.sift import cosine, folded, learnt_descriptor, liveliest, luma_of, sift_descriptor
from neocog.explain.top_patches import Window


def ramp(side, degrees):
    """Brightness that rises in one direction, from rightwards by downwards."""
    places = torch.arange(side, dtype=torch.float64)
    angle = math.radians(degrees)
    return (places * math.cos(angle) + places[:, None] * math.sin(angle)).float()


@pytest.mark.parametrize("direction", range(8))
def test_a_ramp_answers_in_its_direction_alone(direction):
    found = sift_descriptor(ramp(16, 45 * direction))
    assert found.sum(dim=(0, 1)).argmax() == direction
    others = [index for index in range(8) if index != direction]
    assert found[..., others].abs().max() < 1e-5
    assert float(found.norm()) == pytest.approx(1)


def test_between_two_directions_both_share():
    sums = sift_descriptor(ramp(16, 22.5)).sum((0, 1))
    assert float(sums[0]) == pytest.approx(float(sums[1]), rel=1e-4)
    assert float(sums[2:].abs().max()) < 1e-5


def test_no_number_counts_for_too_much():
    grey = torch.zeros(16, 16)
    grey[:4, :4] = ramp(4, 0)
    found = sift_descriptor(grey)
    raw = found / found.max()
    assert (raw > 0.99).sum() > 1  # the largest were cut to the same
    assert float(found.norm()) == pytest.approx(1)
    assert sift_descriptor(torch.ones(16, 16)).abs().max() == 0


def test_brightness_and_contrast_change_nothing_and_a_quarter_turn_turns():
    grey = torch.rand(20, 20, generator=torch.Generator().manual_seed(0))
    found = sift_descriptor(grey)
    assert torch.allclose(sift_descriptor(3 * grey + 7), found, atol=1e-5)
    turned = sift_descriptor(grey.rot90(-1))  # clockwise: cells move, and directions by two steps
    assert torch.allclose(turned, found.rot90(-1).roll(2, 2), atol=1e-5)


def test_agrees_with_scikit_image_at_its_own_keypoints():
    """Its keypoints have a place, a size and a direction; the patch is cut out so, and described."""
    draws = np.random.default_rng(0)
    picture = np.kron(draws.random((16, 16)), np.ones((16, 16)))
    picture = np.clip(picture + rotate(picture, 30), 0, 2) / 2
    engine = SIFT(upsampling=1)
    engine.detect_and_extract(picture)
    rows = [row for row in range(len(engine.positions)) if inside(engine, row, picture.shape)]
    assert len(rows) >= 10
    alike = [float((ours(engine, row, picture) * theirs(engine, row)).sum()) for row in rows]
    assert np.median(alike) > 0.98
    assert min(alike) > 0.9


def inside(engine, row, shape):
    half = 3 * 2 * engine.sigmas[row] * 2
    return all(half < place < side - half for place, side in zip(engine.positions[row], shape, strict=True))


def ours(engine, number, picture):
    """The patch of 4 cells of 3 sigma, turned upright, 32 samples a side."""
    half, angle = 6 * engine.sigmas[number], -engine.orientations[number]
    steps = (np.arange(32) + 0.5) / 32 * 2 * half - half
    v, u = np.meshgrid(steps, steps, indexing="ij")
    row, column = engine.positions[number]
    places = [row + u * np.sin(angle) + v * np.cos(angle), column + u * np.cos(angle) - v * np.sin(angle)]
    blurred = gaussian_filter(picture, engine.sigmas[number])
    return sift_descriptor(torch.from_numpy(map_coordinates(blurred, places, order=1)).float())


def theirs(engine, row):
    """Its directions go the other way round, from downwards."""
    found = torch.from_numpy(engine.descriptors[row].astype(np.float32)).view(4, 4, 8).flip(2).roll(3, 2)
    return found / found.norm()


def test_filters_count_in_their_own_direction():
    maps = torch.zeros(3, 16, 16)
    maps[0, :8], maps[1, 8:], maps[2] = 1.0, -2.0, 0.0  # the sign does not matter
    found = learnt_descriptor(maps, [0.0, 90.0, 45.0])
    assert found[0].sum(0).argmax() == 0
    assert found[3].sum(0).argmax() == 2
    assert found[..., [1, 3]].abs().max() == 0
    both = learnt_descriptor(torch.ones(1, 16, 16), [157.5])  # half way between 135 and 180, which is 0
    assert torch.allclose(both[..., 0], both[..., 3])


def test_likeness_is_a_cosine():
    one, other = torch.zeros(4, 4, 4), torch.zeros(4, 4, 4)
    one[0, 0, 0] = other[1, 1, 1] = 5.0
    assert cosine(one, one) == pytest.approx(1)
    assert cosine(one, other) == 0
    assert cosine(one, torch.zeros(4, 4, 4)) == 0


def test_the_liveliest_square_is_found_by_brute_force():
    image = torch.rand(3, 14, 18, generator=torch.Generator().manual_seed(1)).double()
    grey = luma_of(image)
    down, across = torch.gradient(grey)
    energy = down.square() + across.square()
    best = max(
        ((top, left) for top in range(14 - 5 + 1) for left in range(18 - 5 + 1)),
        key=lambda place: float(energy[place[0] : place[0] + 5, place[1] : place[1] + 5].sum()),
    )
    assert liveliest(image, 5) == Window(*best, best[0] + 5, best[1] + 5)


def test_luma_is_that_of_pictures():
    assert luma_of(torch.ones(3, 2, 2)).allclose(torch.ones(2, 2))
    assert torch.equal(luma_of(torch.full((1, 2, 2), 0.3)), torch.full((2, 2), 0.3))
    assert float(luma_of(torch.tensor([1.0, 0, 0, 9])[:, None, None])) == pytest.approx(0.299)


def test_a_direction_and_its_opposite_are_taken_together():
    one, opposite = sift_descriptor(ramp(16, 45)), sift_descriptor(ramp(16, 225))
    assert torch.allclose(folded(one), folded(opposite), atol=1e-5)
    assert folded(one).sum((0, 1)).argmax() == 1
    assert float(folded(one).norm()) == pytest.approx(1)
