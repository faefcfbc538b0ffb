"""How far the members of geometry draw their amounts: rotation, scale, shear, translation, quarter turns."""

import math

import torch


def drawn(make_batch, with_members, size=(8, 16), **members):
    return with_members(make_batch(2000, *size), **members).to_input


def test_angles_are_spread_evenly_over_their_range(make_batch, with_members):
    matrices = drawn(make_batch, with_members, rotation={"rotation_degrees": 30.0})
    degrees = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert -30 <= degrees.min() < -29
    assert 29 < degrees.max() <= 30
    assert abs(degrees.mean()) < 1.5
    assert abs(degrees.std() - 60 / math.sqrt(12)) < 1
    centre = matrices @ torch.tensor([8.0, 4.0, 1.0])
    assert torch.allclose(centre, torch.tensor([8.0, 4.0, 1.0]).expand_as(centre), atol=1e-5)


def test_zoom_is_spread_evenly_by_its_logarithm(make_batch, with_members):
    factors = drawn(make_batch, with_members, scale={"scale_range": (0.5, 2.0)})[:, 0, 0]
    assert 0.5 <= factors.min() < 0.52
    assert 1.95 < factors.max() <= 2.0
    assert abs(factors.log().mean()) < 0.04


def test_slants_keep_within_their_angles(make_batch, with_members):
    matrices = drawn(make_batch, with_members, shear={"shear_degrees": (20.0, 10.0)})
    assert math.tan(math.radians(19)) < matrices[:, 0, 1].max() <= math.tan(math.radians(20)) + 1e-6
    assert math.tan(math.radians(9)) < matrices[:, 1, 0].max() <= math.tan(math.radians(10)) + 1e-6
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(2000), atol=1e-5)  # areas stay


def test_shifts_are_shares_of_the_sides(make_batch, with_members):
    matrices = drawn(make_batch, with_members, translation={"translation_share": 0.25})
    assert 3.9 < matrices[:, 0, 2].abs().max() <= 4
    assert 1.95 < matrices[:, 1, 2].abs().max() <= 2


def test_quarter_turns_are_as_likely_and_exact(make_batch, with_members):
    batch = make_batch(400, 6)
    moved = with_members(batch, quarter_turn=None)
    turns = torch.stack([(moved.pixels == batch.pixels.rot90(-k, (2, 3))).flatten(1).all(1) for k in range(4)])
    assert turns.sum(0).eq(1).all()
    assert turns.sum(1).min() > 70


def test_what_is_not_square_turns_by_halves(make_batch, with_members):
    batch = make_batch(100, 6, 8)
    moved = with_members(batch, quarter_turn=None)
    turns = torch.stack([(moved.pixels == batch.pixels.rot90(k, (2, 3))).flatten(1).all(1) for k in (0, 2)])
    assert turns.sum(0).eq(1).all()
    assert turns.sum(1).min() > 30
