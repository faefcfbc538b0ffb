"""The grey square: by hand, and captum's."""

import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from explain.asking import explained, images, network
from neocog.explain.occlusion import OcclusionOptions, squares


def test_a_network_that_looks_at_one_pixel_misses_that_one():
    class OnePixel(nn.Module):
        def forward(self, maps):
            return maps[:, :1, 3, 5]

    pictures = torch.full((1, 3, 8, 8), 0.9)
    maps = explained("occlusion", OnePixel(), pictures, torch.tensor([0]), square=2, positions=7).maps[0]
    # of the squares that hide a pixel, the share that hides (3, 5) too, times the fall from 0.9 to grey
    for row in range(8):
        for column in range(8):
            own = [(top, left) for top in range(7) for left in range(7) if 0 <= row - top < 2 and 0 <= column - left < 2]
            share = sum(0 <= 3 - top < 2 and 0 <= 5 - left < 2 for top, left in own) / len(own)
            assert maps[row, column].item() == pytest.approx(0.4 * share, abs=1e-6)


@pytest.mark.parametrize(("square", "stride"), [(4, 2), (3, 3), (2, 1), (12, 1)])
def test_captum_answers_the_same(square, stride):
    module, pictures, classes = network(), images(2), torch.tensor([1, 4])
    positions = (12 - square) // stride + 1
    found = explained("occlusion", module, pictures, classes, square=square, positions=positions, grey=0.5).maps
    captums = Occlusion(module).attribute(pictures, (3, square, square), strides=(3, stride, stride), baselines=0.5, target=classes)
    torch.testing.assert_close(found, captums[:, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("size", "options", "count"), [((224, 224), {}, 400), ((28, 28), {}, 400), ((8, 8), {}, 49), ((10, 30), {}, 180)])
def test_squares_lie_evenly_and_reach_the_borders(size, options, count):
    hidden = squares(size, OcclusionOptions(**options))
    assert len(hidden) == count
    assert hidden.any(dim=0).all()
    assert len(hidden.flatten(1).unique(dim=0)) == count
    assert hidden[0, 0, 0]
    assert hidden[-1, -1, -1]


def test_one_place_is_in_the_middle_and_a_square_is_no_larger_than_the_image():
    (middle,) = squares((9, 9), OcclusionOptions(square=3, positions=1))
    assert middle.nonzero().tolist() == [[row, column] for row in (3, 4, 5) for column in (3, 4, 5)]
    assert squares((4, 6), OcclusionOptions(square=10, positions=2))[0].sum() == 16


def test_pixels_that_no_square_hides_count_for_nothing():
    maps = explained("occlusion", network(), images(), torch.tensor([0, 1, 2]), square=1, positions=2).maps
    corners = torch.zeros(12, 12, dtype=torch.bool)
    corners[::11, ::11] = True
    assert (maps[:, ~corners] == 0).all()
    assert (maps[:, corners] != 0).any()
