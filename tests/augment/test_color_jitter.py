"""Colour changes against torchvision, where the definitions agree."""

import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from neocog.augment.color_jitter import Options, colour_matrices
from neocog.augment.recolour import recolour
from neocog.errors import RecipeError

PLAIN = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


def change(batch, **amounts):
    amounts = [torch.full((len(batch),), value) for value in (PLAIN | amounts).values()]
    return recolour(batch, lambda mean: colour_matrices(*amounts, mean)).pixels


def test_no_change(make_batch):
    batch = make_batch()
    assert torch.allclose(change(batch), batch.images, atol=1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.4, 3.0])
@pytest.mark.parametrize("what", ["brightness", "contrast", "saturation"])
def test_each_change_is_torchvision_s(make_batch, what, factor):
    batch = make_batch(3, 12)
    theirs = {"brightness": oracle.adjust_brightness, "contrast": oracle.adjust_contrast, "saturation": oracle.adjust_saturation}[what](
        batch.images, factor
    )
    assert torch.allclose(change(batch, **{what: factor}), theirs, atol=1e-3)  # torchvision rounds the luma's weights


def test_together_they_are_one_after_the_other(make_batch):
    batch = make_batch(3, 12)
    batch.pixels.clamp_(100, 150)  # so that nothing is cut in between
    theirs = oracle.adjust_saturation(oracle.adjust_contrast(oracle.adjust_brightness(batch.images, 0.8), 1.2), 0.5)
    assert torch.allclose(change(batch, brightness=0.8, contrast=1.2, saturation=0.5), theirs, atol=1e-3)


def luma(images):
    return (images * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)


@pytest.mark.parametrize("hue", [-0.4, -0.1, 0.05, 0.3, 0.5])
def test_a_turn_of_the_hue_keeps_the_luma_and_greys(make_batch, hue):
    batch = make_batch(3, 12)
    batch.pixels.clamp_(110, 140)
    turned = change(batch, hue=hue)
    assert torch.allclose(luma(turned), luma(batch.images), atol=1e-5)
    assert (turned - batch.images).abs().max() > 0.01
    batch.pixels[:] = 120
    assert torch.allclose(change(batch, hue=hue), batch.images, atol=1e-3)


def test_turns_add_up_to_the_full_circle(make_batch):
    batch = make_batch(1, 4)
    batch.pixels.clamp_(110, 140)
    from dataclasses import replace

    turned = batch
    for _ in range(4):
        turned = replace(turned, pixels=change(turned, hue=0.25))
    assert torch.allclose(turned.pixels, batch.images, atol=1e-4)


def test_factors_are_spread_over_their_range(make_batch, with_members):
    batch = make_batch(500, 2)
    batch.pixels[:] = 100
    only = {"brightness": 0.4, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    factors = with_members(batch, color_jitter=only).images[:, 0, 0, 0] * 2.55
    assert 0.6 <= factors.min() < 0.62
    assert 1.38 < factors.max() <= 1.4


def test_the_hue_s_range_ends_at_half_a_turn():
    with pytest.raises(RecipeError) as caught:
        Options(hue=0.6)
    assert str(caught.value) == (
        "expected: hue to be a number from 0 to 0.5\nfound: 0.6\nto do: give hue a number from 0 to 0.5; the default is 0.02"
    )
