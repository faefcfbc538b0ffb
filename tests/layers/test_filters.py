import math

import numpy as np
import pytest
import torch
from scipy import ndimage, signal
from scipy.stats import norm

from neocog.layers import binomial, correlation, gabor, gabor_bank, gaussian, sharpening, sobel


def test_a_gaussian_is_a_normal_density_with_sum_1():
    density = norm.pdf(np.arange(7) - 3, scale=1.3)
    np.testing.assert_allclose(gaussian(7, 1.3), density / density.sum(), rtol=1e-6)
    np.testing.assert_allclose(gaussian(4, 2.0), signal.windows.gaussian(4, 2.0) / signal.windows.gaussian(4, 2.0).sum(), rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_binomial_row_is_one_of_pascals_triangle(size):
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, [0.5, 0.5])
    np.testing.assert_array_equal(binomial(size), row)
    places = np.arange(size) - (size - 1) / 2
    assert (binomial(size).numpy() * places**2).sum() == pytest.approx((size - 1) / 4)


def test_sobel_equals_scipys():
    picture = np.random.default_rng(0).normal(size=(9, 8)).astype(np.float32)
    found = correlation(torch.from_numpy(picture)[None, None], sobel()[:, None])[0]
    for ours, axis in zip(found, (1, 0), strict=True):
        np.testing.assert_allclose(ours, ndimage.sobel(picture, axis)[1:-1, 1:-1], rtol=1e-4, atol=1e-5)


def test_an_eighth_of_sobel_is_the_slope():
    y, x = torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij")
    slopes = correlation((3 * x - 2 * y)[None, None], sobel()[:, None] / 8)
    assert slopes[0, :, 1, 1].tolist() == [3, -2]


def test_sharpening():
    assert sharpening().tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert sharpening(0).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert sharpening(0.37).sum().item() == pytest.approx(1)
    picture = np.random.default_rng(0).normal(size=(7, 7))
    expected = picture - 0.5 * ndimage.laplace(picture)
    found = correlation(torch.from_numpy(picture)[None, None], sharpening(0.5).double()[None, None])
    np.testing.assert_allclose(found[0, 0], expected[1:-1, 1:-1], atol=1e-6)


@pytest.mark.parametrize(("size", "orientation", "phase"), [(9, 0.0, 0.0), (8, 0.7, 1.0), (5, 2.5, math.pi / 2)])
def test_a_gabor_kernel_is_the_formula_place_by_place(size, orientation, phase):
    kernel = gabor(size, 4.0, orientation, sigma=2.0, phase=phase, aspect=0.8)
    for row in range(size):
        for column in range(size):
            x, y = column - (size - 1) / 2, row - (size - 1) / 2
            u = x * math.cos(orientation) + y * math.sin(orientation)
            v = -x * math.sin(orientation) + y * math.cos(orientation)
            expected = math.exp(-(u**2 + 0.64 * v**2) / 8) * math.cos(2 * math.pi * u / 4 + phase)
            assert kernel[row, column].item() == pytest.approx(expected, abs=1e-6)


def test_orientation_0_has_upright_stripes_and_a_quarter_turn_lies_down():
    upright = gabor(11, 4.0, 0.0)
    assert torch.equal(upright, upright.flip(0))
    assert upright[5].diff().abs().max() > 5 * upright[:, 5].diff().abs().max()
    torch.testing.assert_close(gabor(11, 4.0, math.pi / 2), upright.T)
    torch.testing.assert_close(gabor(11, 4.0, 0.3), gabor(11, 4.0, 0.3, sigma=2.24))


def test_the_bank_answers_most_to_its_own_waves():
    bank = gabor_bank(15, [4.0, 8.0], orientations=4)
    assert bank.shape == (2 * 4 * 2, 15, 15)
    torch.testing.assert_close(bank.mean((1, 2)), torch.zeros(16))
    torch.testing.assert_close(bank.flatten(1).norm(dim=1), torch.ones(16))
    place = torch.arange(15.0) - 7
    for length, number in ((4.0, 0), (8.0, 1)):
        for step in range(4):
            angle = math.pi * step / 4
            wave = (2 * math.pi / length * (place * math.cos(angle) + place[:, None] * math.sin(angle))).cos()
            answers = correlation(wave[None, None], bank[:, None]).flatten().view(2, 4, 2).square().sum(2)
            assert answers.flatten().argmax().item() == number * 4 + step
