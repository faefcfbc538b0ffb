"""The fit against Gabor functions whose parameters are known."""

import math

import pytest
import torch

from neocog.explain.gabor import fit_gabor, rebuilt
from neocog.layers import gabor, gaussian


def apart(one, other, turn):
    """Degrees between two directions of which every `turn` degrees are the same."""
    difference = abs(one - other) % turn
    return min(difference, turn - difference)


@pytest.mark.parametrize("orientation", [0, 30, 75, 90, 140, 179])
@pytest.mark.parametrize(("wavelength", "phase"), [(4.0, 0), (5.0, 90), (6.5, -60), (3.0, 180)])
def test_known_functions_are_found_again(orientation, wavelength, phase):
    kernel = gabor(11, wavelength, math.radians(orientation), phase=math.radians(phase), sigma=2.2, aspect=0.8)
    fit = fit_gabor(kernel[None])
    assert apart(fit.orientation, orientation, 180) < 0.1
    assert fit.frequency == pytest.approx(1 / wavelength, rel=1e-3)
    found = fit.phase if abs(fit.orientation - orientation) < 90 else -fit.phase  # 179.99 may be found as 0: the opposite direction
    assert apart(found, phase, 360) < 0.5
    assert (fit.sigma_u, fit.sigma_v) == (pytest.approx(2.2, rel=1e-2), pytest.approx(2.2 / 0.8, rel=1e-2))
    assert fit.centre == (pytest.approx(0, abs=0.02), pytest.approx(0, abs=0.02))
    assert fit.amplitude == pytest.approx(1, rel=1e-2)
    assert fit.explained > 0.9999
    assert fit.oriented


def test_a_function_beside_the_middle_is_found_there():
    whole = gabor(21, 5.0, 0.6, sigma=2.0)
    kernel = whole[4:15, 7:18]  # its middle lies at row 6, column 3 of 11
    fit = fit_gabor(kernel[None])
    assert fit.centre == (pytest.approx(-2, abs=0.02), pytest.approx(1, abs=0.02))
    assert fit.explained > 0.9999


def test_noise_is_explained_as_far_as_there_is_none():
    kernel = gabor(11, 5.0, 1.0, sigma=2.5)
    noise = torch.randn(11, 11, generator=torch.Generator().manual_seed(0))
    noise *= 0.5 * kernel.norm() / noise.norm()
    fit = fit_gabor((kernel + noise)[None])
    assert 0.75 < fit.explained < 0.95  # 1 / 1.25 but for what the fit finds in the noise
    assert apart(fit.orientation, math.degrees(1.0), 180) < 5


def test_colours_are_parted_from_the_wave():
    colour = torch.tensor([0.6, -0.8, 0.0])
    wave = gabor(9, 4.0, 0.5)
    fit = fit_gabor(colour[:, None, None] * wave)
    assert fit.colour == (pytest.approx(-0.6, abs=1e-5), pytest.approx(0.8, abs=1e-5), pytest.approx(0, abs=1e-5))
    assert apart(fit.phase, 180, 360) < 0.5  # the largest colour is positive, so the wave is turned over
    both = torch.stack([wave, gabor(9, 4.0, 0.5 + math.pi / 2), torch.zeros(9, 9)])
    assert fit_gabor(both).explained < 0.6  # two waves in two colours: one of them is left


def test_a_blob_has_no_direction_and_an_edge_has():
    blob = gaussian(9, 1.5)[:, None] * gaussian(9, 1.5)
    fit = fit_gabor(blob[None])
    assert fit.explained > 0.99
    assert fit.selectivity < 0.2
    assert not fit.oriented
    edge = torch.arange(-3.0, 4.0).expand(7, -1) * gaussian(7, 1.5)[:, None] * gaussian(7, 1.5)
    fit = fit_gabor(edge[None])
    assert fit.oriented
    assert apart(fit.orientation, 0, 180) < 0.5
    assert abs(abs(fit.phase) - 90) < 1


def test_small_kernels_are_fitted_with_a_gaussian_held_fast():
    fit = fit_gabor(torch.tensor([[[-1.0, 0.0, 1.0]] * 3]))
    assert (fit.sigma_u, fit.sigma_v) == (pytest.approx(1.5, rel=1e-3), pytest.approx(1.5, rel=1e-3))
    assert fit.centre == (pytest.approx(0, abs=1e-3), pytest.approx(0, abs=1e-3))
    assert apart(fit.orientation, 0, 180) < 0.5
    assert fit.oriented


def test_a_kernel_of_zeros_explains_nothing():
    fit = fit_gabor(torch.zeros(3, 5, 5))
    assert (fit.explained, fit.amplitude, fit.selectivity, fit.oriented) == (0.0, 0.0, 0.0, False)


def test_a_fit_is_rebuilt():
    kernel = gabor(9, 4.0, 0.7, phase=1.0, sigma=2.0)
    assert torch.allclose(rebuilt(fit_gabor(kernel[None]), (9, 9))[0], kernel, atol=1e-3)


def test_a_point_is_no_kernel():
    with pytest.raises(ValueError, match=r"^expected a kernel of at least 3x3 pixels, found 1x1$"):
        fit_gabor(torch.ones(4, 1, 1))
