"""Members together, placing, and what is refused."""

import pytest
import torch

from neocog.augment import AUGMENTATIONS, augment, augment_each, mix, place
from neocog.augment.member import Draw
from neocog.errors import UsageError
from neocog.targets import Cleans, Masks


def test_nothing_asked_for_nothing_changed(make_batch, with_members):
    batch = make_batch()
    assert with_members(batch) is batch


def test_all_geometry_of_a_picture_is_one_matrix(make_batch, with_members):
    from neocog.augment.geometry import warp

    members = {"flip": None, "rotation": None, "scale": None, "shear": None, "translation": None}
    batch = make_batch(6, 24)
    together = with_members(batch, **members)
    matrices = torch.eye(3, dtype=torch.float64).repeat(6, 1, 1)
    for name in members:  # alphabetical, the order of composition
        matrices = with_members(batch, **{name: None}).to_input.double() @ matrices
    assert torch.allclose(together.to_input.double(), matrices, atol=1e-5)
    assert torch.allclose(together.images, warp(batch, matrices, (24, 24)).images, atol=1e-4)


def test_a_picture_may_cover_fit_or_be_cropped(make_batch):
    batch = make_batch(2, 20, 30)
    covered, boxed, cropped = (place(batch, fit, (10, 10)) for fit in ("cover", "letterbox", "crop"))
    assert covered.valid is None
    assert torch.equal(covered.to_input[0], torch.tensor([[0.5, 0, -2.5], [0, 0.5, 0], [0, 0, 1]]))
    assert boxed.valid[0].any(1).sum() == 6  # 20 / 3 rows reach over the centres of 6
    assert torch.equal(cropped.pixels, batch.pixels[:, :, 5:15, 10:20])
    assert place(batch, "native", (1, 1)) is batch


def test_cropping_an_odd_margin_moves_by_whole_pixels(make_batch):
    batch = make_batch(2, 7, 10)
    assert torch.equal(place(batch, "crop", (4, 3)).pixels, batch.pixels[:, :, 2:6, 4:7])


def test_covering_at_equal_scale_cuts_what_stands_over(make_batch):
    batch = make_batch(2, 9, 8)
    assert torch.equal(place(batch, "cover", (8, 8)).pixels, batch.pixels[:, :, 1:9])


def test_pictures_of_unequal_size_are_placed_as_each_alone(make_batch):
    sizes = [(10, 14), (16, 9), (5, 7)]
    batch = make_batch(sizes=sizes)
    for fit in ("cover", "letterbox", "crop"):
        together = place(batch, fit, (12, 12))
        for i, (height, width) in enumerate(sizes):
            alone = make_batch(sizes=[(height, width)])
            alone.pixels[0] = batch.pixels[i, :, :height, :width]
            expected = place(alone, fit, (12, 12))
            assert torch.allclose(together.images[i], expected.images[0], atol=1e-6)
            assert torch.equal(together.to_input[i], expected.to_input[0])
            shown = torch.ones(12, 12, dtype=torch.bool) if expected.valid is None else expected.valid[0]
            assert torch.equal(torch.ones(12, 12, dtype=torch.bool) if together.valid is None else together.valid[i], shown)


def test_training_crops_lie_anywhere_in_the_picture(make_batch, with_members):
    batch = make_batch(sizes=[(9, 12)] * 300)
    moved = with_members(batch, (4, 4), fit="crop")
    assert moved.pixels.dtype == torch.uint8
    left, top = (-moved.to_input[:, :2, 2]).unbind(1)
    assert set(left.tolist()) == set(range(9))
    assert set(top.tolist()) == set(range(6))
    i = 17
    assert torch.equal(moved.pixels[i], batch.pixels[i, :, int(top[i]) : int(top[i]) + 4, int(left[i]) : int(left[i]) + 4])


def test_a_picture_smaller_than_the_crop_lies_in_the_middle(make_batch, with_members):
    batch = make_batch(sizes=[(3, 4)])
    moved = with_members(batch, (6, 6), fit="crop")
    assert torch.equal(moved.pixels[0, :, 2:5, 1:5], batch.pixels[0])
    assert moved.valid.sum() == 12


def test_native_pictures_keep_their_size(make_batch, with_members):
    assert with_members(make_batch(2, 11, 13), (4, 4), fit="native", flip=None).pixels.shape == (2, 3, 11, 13)


def test_exact_geometry_moves_values_only(make_batch, with_members):
    batch = make_batch(16, 20, targets=None)
    moved = with_members(batch, (8, 8), fit="crop", geometry="exact", flip=None, quarter_turn=None, pad_and_crop={"crop_padding": 1})
    assert moved.pixels.dtype == torch.uint8


def test_clean_pictures_follow_exactly(make_batch, with_members):
    pixels = make_batch(16, 20).pixels
    batch = make_batch(16, 20, targets=Cleans(pixels.clone()))
    moved = with_members(batch, (8, 8), fit="crop", geometry="exact", flip=None, quarter_turn=None, color_jitter=None)
    assert torch.equal(moved.pixels, moved.targets.pixels)


def test_exact_geometry_refuses_what_resamples(make_batch, with_members):
    with pytest.raises(UsageError) as caught:
        with_members(make_batch(), fit="crop", geometry="exact", rotation=None)
    assert str(caught.value) == (
        "expected: geometry that keeps every pixel's value\n"
        "found: rotation\n"
        "to do: choose among alternating_flip, flip, pad_and_crop, quarter_turn"
    )
    with pytest.raises(UsageError) as caught:
        with_members(make_batch(), fit="cover", geometry="exact", flip=None)
    assert (
        str(caught.value) == "expected: pictures at their own scale: the fit crop or native\nfound: the fit cover\nto do: use the fit crop"
    )


def test_mixing_needs_labels(make_batch, with_members):
    with pytest.raises(UsageError) as caught:
        with_members(make_batch(targets=Masks(torch.zeros(4, 16, 16, dtype=torch.int64))), mixup=None)
    assert str(caught.value) == "expected: pictures with one label each\nfound: mixup with targets of another kind\nto do: leave mixup away"


def test_only_one_member_cuts_out_a_window(make_batch, with_members, monkeypatch):
    monkeypatch.setitem(AUGMENTATIONS._members, "second_window", AUGMENTATIONS["random_resized_crop"])
    with pytest.raises(UsageError) as caught:
        with_members(make_batch(), random_resized_crop=None, second_window=None)
    assert str(caught.value) == (
        "expected: one augmentation that cuts out a window\nfound: random_resized_crop and second_window\nto do: leave all but one away"
    )


def test_an_unknown_member_is_refused_with_the_nearest_name(make_batch):
    with pytest.raises(UsageError, match="did you mean rotation"):
        augment(make_batch(), {"rotaton": None}, fit="cover", size=(16, 16), seed=0, epoch=0, step=0)


def test_of_two_mixing_members_one_is_used_a_step(make_batch, with_members):
    batch = make_batch(8)
    kinds = [with_members(batch, mixup=None, cutmix=None, step=step).pixels.dtype for step in range(40)]
    assert 8 < kinds.count(torch.uint8) < 32  # cutmix keeps uint8


def test_a_member_that_changes_single_pictures_cannot_draw_for_a_step():
    draw = Draw(0, "rotation", 0, None, torch.arange(3))
    with pytest.raises(ValueError, match="expected draws for single pictures, found draws for a step by rotation"):
        draw.of_step()


def test_mixing_comes_after_all_that_concerns_single_pictures(make_batch):
    batch = make_batch(8)
    members = {name: AUGMENTATIONS[name].Options() for name in ("cutmix", "flip", "gaussian_noise", "mixup")}
    own, steps = {"seed": 3, "epoch": 2}, range(6)
    each = augment_each(batch, members, fit="cover", size=(16, 16), **own)
    assert torch.equal(each.targets.share, torch.ones(8))
    for step in steps:
        whole = augment(batch, members, fit="cover", size=(16, 16), **own, step=step)
        mixed = mix(each, members, **own, step=step)
        assert torch.equal(mixed.images, whole.images)
        assert torch.equal(mixed.targets.share, whole.targets.share)
        assert not torch.equal(mixed.images, each.images)
