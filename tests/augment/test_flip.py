import pytest
import torch

from neocog.augment.flip import Options
from neocog.errors import RecipeError


def test_half_of_the_pictures_are_mirrored_exactly(make_batch, with_members):
    batch = make_batch(400, 6, 8)
    moved = with_members(batch, flip=None)
    mirrored = (moved.pixels == batch.pixels.flip(3)).flatten(1).all(1)
    assert (mirrored | (moved.pixels == batch.pixels).flatten(1).all(1)).all()
    assert 160 < mirrored.sum() < 240


@pytest.mark.parametrize(("horizontal", "vertical", "axes"), [(1.0, 0.0, (3,)), (0.0, 1.0, (2,)), (1.0, 1.0, (2, 3)), (0.0, 0.0, ())])
def test_certain_flips(make_batch, with_members, horizontal, vertical, axes):
    batch = make_batch(5, 6, 8)
    moved = with_members(batch, flip={"flip_probability": horizontal, "flip_vertical_probability": vertical})
    assert torch.equal(moved.pixels, batch.pixels.flip(axes))


def test_both_directions_are_independent(make_batch, with_members):
    moved = with_members(make_batch(800, 2), flip={"flip_vertical_probability": 0.5})
    both = ((moved.to_input[:, 0, 0] < 0) & (moved.to_input[:, 1, 1] < 0)).float().mean()
    assert 0.2 < both < 0.3


def test_a_probability_above_one_is_refused():
    with pytest.raises(RecipeError) as caught:
        Options(flip_probability=1.5)
    assert str(caught.value) == (
        "expected: flip_probability to be a number from 0 to 1\n"
        "found: 1.5\n"
        "to do: give flip_probability a number from 0 to 1; the default is 0.5"
    )
