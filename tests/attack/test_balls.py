"""Balls: exact after rounding, nearest points, even draws."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.attack.balls import Ball, distances, steepest


def centres(count=5, side=4, seed=0):
    """Images with black and white in them."""
    images = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
    images[0], images[1] = 0.0, 1.0
    return images


@pytest.mark.parametrize("norm", ["linf", "l2"])
@settings(deadline=None, max_examples=60)
@given(epsilon=st.floats(0, 2), spread=st.floats(0, 10), seed=st.integers(0, 1000))
def test_what_is_brought_inside_is_inside_exactly(norm, epsilon, spread, seed):
    images = centres(seed=seed)
    moved = images + spread * torch.randn(images.shape, generator=torch.Generator().manual_seed(seed + 1))
    inside = Ball(images, epsilon, norm).inside(moved)
    assert inside.min() >= 0
    assert inside.max() <= 1
    assert (distances(inside, images, norm) <= epsilon).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_is_inside_stays_and_the_rest_goes_to_the_border(norm):
    images = torch.full((2, 1, 3, 3), 0.5)
    ball = Ball(images, 0.25, norm)
    near = images + 0.05
    assert torch.equal(ball.inside(near), near)
    far = images.clone()
    far[:, :, 1, 1] = 1.0
    expected = images.clone()
    expected[:, :, 1, 1] = 0.75
    torch.testing.assert_close(ball.inside(far), expected)


def test_of_the_largest_norm_the_nearest_point_is_taken():
    images = centres()
    moved = images + torch.randn(images.shape, generator=torch.Generator().manual_seed(2))
    expected = torch.minimum(torch.maximum(moved, images - 0.1), images + 0.1).clamp(0, 1)
    torch.testing.assert_close(Ball(images, 0.1, "linf").inside(moved), expected)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_draws_are_even_and_depend_on_their_row_alone(norm):
    images = torch.full((400, 1, 1, 2), 0.5)
    ball = Ball(images, 0.4, norm)
    drawn = ball.anywhere(0, 0, torch.arange(400))
    away = distances(drawn, images, norm)
    assert (away <= 0.4).all()
    assert abs(float((away < 0.4 / 2**0.5).double().mean()) - 0.5) < 0.08  # half of the area lies within that radius
    assert abs(float((drawn - images).mean())) < 0.03
    assert torch.equal(ball.select(torch.tensor([7])).anywhere(0, 0, torch.tensor([7])), drawn[7:8])
    assert not torch.equal(ball.anywhere(0, 1, torch.arange(400)), drawn)


def test_the_steepest_direction_has_length_one_or_none():
    gradient = torch.tensor([[3.0, -4.0], [0.0, 0.0], [1e-30, 0.0]])[:, None, None]
    assert steepest(gradient, "linf").flatten(1).tolist() == [[1, -1], [0, 0], [1, 0]]
    torch.testing.assert_close(steepest(gradient, "l2").flatten(1), torch.tensor([[0.6, -0.8], [0.0, 0.0], [1.0, 0.0]]))
