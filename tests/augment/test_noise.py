"""Statistics of gaussian_noise, salt_and_pepper and cutout."""

import pytest
import torch

from neocog.targets import Cleans


def grey(make_batch, count=20, side=40, value=128):
    batch = make_batch(count, side)
    batch.pixels[:] = value
    return batch


def test_normal_noise_has_the_deviation_asked_for(make_batch, with_members):
    batch = grey(make_batch)
    noise = with_members(batch, gaussian_noise={"noise_deviation": (0.05, 0.05)}).pixels - batch.images
    assert abs(noise.mean()) < 1e-3
    assert abs(noise.std() - 0.05) < 1e-3
    assert not torch.equal(noise[0], noise[1])
    kurtosis = (noise / 0.05).pow(4).mean()
    assert abs(kurtosis - 3) < 0.15


def test_each_picture_draws_its_deviation(make_batch, with_members):
    batch = grey(make_batch, 200)
    deviations = (with_members(batch, gaussian_noise={"noise_deviation": (0.02, 0.1)}).pixels - batch.images).flatten(1).std(1)
    assert 0.019 < deviations.min() < 0.025
    assert 0.095 < deviations.max() < 0.102


def test_clean_pictures_get_no_noise(make_batch, with_members):
    pixels = make_batch(2, 8).pixels
    batch = make_batch(2, 8, targets=Cleans(pixels.clone()))
    changed = with_members(batch, (4, 4), fit="crop", geometry="exact", gaussian_noise=None, salt_and_pepper={"salt_and_pepper_share": 0.5})
    assert changed.targets.pixels.dtype == torch.uint8
    assert not torch.equal(changed.images, changed.targets.pixels / 255)


def test_salt_and_pepper_fall_evenly(make_batch, with_members):
    batch = grey(make_batch)
    changed = with_members(batch, salt_and_pepper={"salt_and_pepper_share": 0.2}).pixels
    assert changed.dtype == torch.uint8
    assert set(changed.unique().tolist()) == {0, 128, 255}
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert abs((changed == 255).float().mean() - 0.1) < 0.01
    assert abs((changed == 0).float().mean() - 0.1) < 0.01


@pytest.mark.parametrize("as_float", [False, True])
def test_cutout_hides_one_square_under_the_mean_colour(make_batch, with_members, as_float):
    from dataclasses import replace

    batch = make_batch(200, 16)
    batch = replace(batch, pixels=batch.images) if as_float else batch
    changed = with_members(batch, cutout={"cutout_share": 0.5})
    hidden = (changed.pixels != batch.pixels).any(1)
    full = 0
    for mask, picture, before in zip(hidden, changed.images, batch.images, strict=True):
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        area = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        assert mask.sum() >= 0.8 * area  # by chance a pixel has the mean colour already
        full += area == 64
        assert torch.allclose(picture[:, mask], before.mean(dim=(1, 2))[:, None].expand(-1, int(mask.sum())), atol=0.51 / 255)
    assert 30 < full < 100  # (16 - 8 + 1)^2 / 16^2 of them lie wholly inside
    assert hidden.any(0).all()


def test_no_cutout_no_change(make_batch, with_members):
    batch = make_batch()
    assert torch.equal(with_members(batch, cutout={"cutout_share": 0.0}).pixels, batch.pixels)
