"""PSNR and SSIM against scikit-image and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from neocog.errors import DataError
from neocog.metrics.base import Metrics
from neocog.metrics.restoration import MOST_DECIBELS, Known, RestorationMetrics, psnr, ssim


def pair(shape, depth, seed=0):
    """A picture, and the same with noise."""
    numbers = np.random.default_rng(seed)
    peak = 255 if depth == 8 else 65535
    clean = np.cumsum(numbers.normal(size=shape), axis=2)
    clean = (clean - clean.min()) / np.ptp(clean) * peak
    noisy = (clean + numbers.normal(size=shape) * peak / 12).clip(0, peak)
    kind = np.uint8 if depth == 8 else np.uint16
    return torch.from_numpy(clean.round().astype(kind)), torch.from_numpy(noisy.round().astype(kind))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("shape", [(1, 40, 53), (3, 31, 29), (1, 11, 11), (3, 12, 60)])
def test_both_are_scikit_images(shape, depth):
    clean, noisy = pair(shape, depth)
    peak = 255 if depth == 8 else 65535
    wanted = structural_similarity(
        clean.numpy(),
        noisy.numpy(),
        data_range=peak,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(clean, noisy) == pytest.approx(wanted, abs=1e-6)
    assert psnr(clean, noisy) == pytest.approx(peak_signal_noise_ratio(clean.numpy(), noisy.numpy(), data_range=peak), abs=1e-6)


def test_closed_forms():
    clean, other = torch.full((1, 20, 20), 100, dtype=torch.uint8), torch.full((1, 20, 20), 110, dtype=torch.uint8)
    assert psnr(clean, other) == pytest.approx(20 * math.log10(255 / 10), abs=1e-9)
    c1 = (0.01 * 255) ** 2
    assert ssim(clean, other) == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1), abs=1e-9)  # no variance


def test_equal_pictures():
    clean, _ = pair((3, 20, 20), 8)
    assert psnr(clean, clean) == MOST_DECIBELS
    assert ssim(clean, clean) == pytest.approx(1)


@given(st.integers(1, 12), st.integers(1, 12))
def test_pictures_smaller_than_a_window(height, width):
    clean, noisy = pair((1, height, width + 1), 8)
    assert -1 <= ssim(clean, noisy) <= 1 + 1e-9
    assert ssim(clean, clean) == pytest.approx(1)
    assert ssim(clean, noisy) == pytest.approx(ssim(noisy, clean))


def test_a_picture_of_one_pixel():
    black, white = torch.zeros(1, 1, 1, dtype=torch.uint8), torch.full((1, 1, 1), 255, dtype=torch.uint8)
    assert psnr(black, white) == 0
    assert 0 < ssim(black, white) < 1e-3


def test_the_means_gather_and_merge():
    pictures = [pair((1, 20, 25), 8, seed) for seed in range(4)]
    whole, first, second = RestorationMetrics(), RestorationMetrics(), RestorationMetrics()
    assert isinstance(whole, Metrics)
    for number, (clean, noisy) in enumerate(pictures):
        known = Known([clean], [noisy])
        whole.update([clean], known)
        (first if number < 3 else second).update([clean], known)
    first.merge(second)
    assert first.compute() == pytest.approx(whole.compute())
    assert whole.compute() == {
        "psnr": MOST_DECIBELS,
        "ssim": pytest.approx(1),
        "noisy_psnr": pytest.approx(sum(psnr(clean, noisy) for clean, noisy in pictures) / 4),
        "noisy_ssim": pytest.approx(sum(ssim(clean, noisy) for clean, noisy in pictures) / 4),
    }
    again = RestorationMetrics()
    again.load_state(whole.state())
    assert again.compute() == whole.compute()


def test_nothing_to_measure_by():
    with pytest.raises(DataError) as caught:
        RestorationMetrics().compute()
    assert str(caught.value) == (
        "expected: at least one clean picture to measure by\nfound: none\nto do: measure on a split that has pictures"
    )
