"""The bumps of the square attack in l2: their form, and that placing one costs no more than the ball allows."""

import pytest
import torch

from neocog.attack.balls import Ball, distances
from neocog.attack.bumps import bump, moved, tiled


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7, 12])
def test_a_bump_has_length_one_and_two_signs(side):
    shape = bump(side)
    assert shape.shape == (side, side)
    torch.testing.assert_close(shape.norm(), torch.tensor(1.0))
    assert (shape[:, : side // 2] >= 0).all()
    assert (shape[:, side // 2 :] <= 0).all()


def test_terraces_fall_by_the_squares_of_their_number():
    upper = bump(8)[:, :4]
    middle = upper[4, 2]
    steps = torch.stack([middle - upper[4, 1], upper[4, 1] - upper[4, 0]])
    torch.testing.assert_close(steps[1] / steps[0], torch.tensor(0.25))
    assert upper[0].max() < upper[2].max() < upper[4].max()


def test_the_beginning_lies_on_the_border_of_the_ball():
    images = torch.full((3, 2, 11, 13), 0.5)
    drawn = tiled(Ball(images, 0.3, "l2"), 0, torch.arange(3))
    torch.testing.assert_close(distances(drawn, images, "l2"), torch.full((3,), 0.3, dtype=torch.float64))
    assert not torch.equal(drawn[0], drawn[1])


def test_a_step_changes_two_windows_alone_and_stays_on_the_border():
    images = torch.full((4, 2, 20, 20), 0.5)
    ball = Ball(images, 0.3, "l2")
    begin = tiled(ball, 0, torch.arange(4))
    draws = torch.rand(4, 7, generator=torch.Generator().manual_seed(1))
    after = moved(ball, begin, 4, draws)
    changed = ((after - begin).abs() > 1e-6).any(dim=1)  # bringing it inside may scale all by as much as rounding
    assert (changed.flatten(1).sum(dim=1) <= 2 * 16).all()
    assert changed.flatten(1).any(dim=1).all()
    assert (distances(after, images, "l2") <= 0.3).all()
    torch.testing.assert_close(distances(after, images, "l2"), torch.full((4,), 0.3, dtype=torch.float64), rtol=1e-5, atol=0)


def test_a_window_may_be_the_whole_picture():
    images = torch.full((2, 1, 3, 3), 0.5)
    ball = Ball(images, 0.2, "l2")
    after = moved(ball, images, 9, torch.rand(2, 6, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(distances(after, images, "l2"), torch.full((2,), 0.2, dtype=torch.float64), rtol=1e-5, atol=0)
