"""mixup and cutmix: what is mixed, and what the labels say of it."""

import numpy as np
import pytest
import torch
from scipy import stats

from neocog.augment.cutmix import rectangle


def one_colour_each(make_batch, count=8, side=10):
    """Picture i has the grey value 20 i, so that shares can be read off."""
    batch = make_batch(count, side)
    batch.pixels[:] = (torch.arange(count) * 20).to(torch.uint8)[:, None, None, None]
    return batch


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
@pytest.mark.parametrize("step", range(12))
def test_labels_share_what_pixels_share(make_batch, with_members, name, step):
    batch = one_colour_each(make_batch)
    mixed = with_members(batch, **{name: None}, step=step)
    labels = mixed.targets
    assert torch.equal(labels.classes, batch.targets.classes)
    assert sorted(labels.others.tolist()) == list(range(8))
    values = (labels.share * labels.classes + (1 - labels.share) * labels.others) * 20 / 255
    assert torch.allclose(mixed.images.mean(dim=(1, 2, 3)), values, atol=1e-4)


def test_cutmix_pastes_one_rectangle(make_batch, with_members):
    mixed = with_members(one_colour_each(make_batch), cutmix=None, step=3)
    pasted = (mixed.pixels[:, 0] != mixed.targets.classes[:, None, None] * 20)[mixed.targets.others != mixed.targets.classes]
    assert mixed.pixels.dtype == torch.uint8
    assert (pasted == pasted[0]).all()
    rows, columns = pasted[0].any(1).sum(), pasted[0].any(0).sum()
    assert pasted[0].sum() == rows * columns


def test_mixup_s_shares_follow_the_beta_distribution(make_batch, with_members):
    batch = make_batch(2, 1)
    shares = [float(with_members(batch, mixup={"mixup_alpha": 0.4}, step=step).targets.share[0]) for step in range(400)]
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).pvalue > 0.01


def test_cutmix_s_rectangle_has_the_image_s_shape():
    boxes = [rectangle(np.random.default_rng(seed), 1.0, 40, 80) for seed in range(300)]
    assert all(0 <= top <= bottom <= 40 and 0 <= left <= right <= 80 for top, left, bottom, right in boxes)
    inside = [(bottom - top, right - left) for top, left, bottom, right in boxes if top > 0 and left > 0 and bottom < 40 and right < 80]
    assert len(inside) > 30  # a sixth of them is to be expected
    assert all(abs(wide - 2 * high) <= 1 for high, wide in inside)


def test_mixing_goes_by_the_step_not_by_the_pictures(make_batch, with_members):
    first, other = make_batch(6, seed=1), make_batch(6, seed=2)
    one, two = (with_members(batch, mixup=None, step=9).targets for batch in (first, other))
    assert torch.equal(one.others, two.others)
    assert torch.equal(one.share, two.share)
