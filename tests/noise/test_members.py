"""Each kind of noise against what its distribution says."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.noise import NOISES


def disturbed(name, clean, seed=0, **options):
    member = NOISES[name]
    return member.disturb(member.Options(**options), clean, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sigma", [5.0, 25.0, 75.0])
def test_gaussian_noise_has_its_deviation_and_is_not_cut_off(sigma):
    noise = disturbed("gaussian", torch.zeros(1, 400, 500), sigma=(sigma,)) * 255
    assert float(noise.std()) == pytest.approx(sigma, rel=0.01)
    assert abs(float(noise.mean())) < sigma / 100
    assert float(noise.pow(4).mean()) / sigma**4 == pytest.approx(3, rel=0.05)
    assert noise.min() < 0


def test_a_range_of_sigma_is_drawn_evenly():
    found = [float(disturbed("gaussian", torch.zeros(1, 60, 60), seed, sigma=(10.0, 50.0)).std()) * 255 for seed in range(200)]
    assert 10 * 0.95 < min(found) < 14
    assert 46 < max(found) < 50 * 1.05
    assert np.mean(found) == pytest.approx(30, abs=3)


def test_the_deviation_is_known_where_it_is_one():
    gaussian = NOISES["gaussian"]
    assert gaussian.deviation(gaussian.Options((25.0,))) == pytest.approx(25 / 255)
    assert gaussian.deviation(gaussian.Options((0.0, 55.0))) is None
    assert NOISES["poisson"].deviation(NOISES["poisson"].Options()) is None


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_the_variance_of_photons_is_their_number(level):
    photons = disturbed("poisson", torch.full((1, 400, 400), level), peak=(20.0,)) * 20
    assert float(photons.mean()) == pytest.approx(20 * level, rel=0.01)
    assert float(photons.var()) == pytest.approx(20 * level, rel=0.03)
    torch.testing.assert_close(photons, photons.round(), rtol=0, atol=1e-4)


def test_salt_and_pepper_take_all_channels_of_a_pixel():
    noisy = disturbed("salt_and_pepper", torch.full((3, 300, 300), 0.5), lost=(0.2,))
    black, white = (noisy == 0).all(dim=0), (noisy == 1).all(dim=0)
    assert float(black.float().mean()) == pytest.approx(0.1, rel=0.05)
    assert float(white.float().mean()) == pytest.approx(0.1, rel=0.05)
    assert ((noisy == 0.5).all(dim=0) | black | white).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_pillows_from_some_corner(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 32, 40), dtype=np.uint8)
    noisy = disturbed("jpeg", torch.from_numpy(pixels).float() / 255, jpeg_quality=(30,)).mul(255).round()
    found = False
    for top in range(8):
        for left in range(8):
            framed = np.pad(pixels, ((0, 0), (top, 0), (left, 0)), mode="edge")
            file = io.BytesIO()
            Image.fromarray(framed[0] if channels == 1 else framed.transpose(1, 2, 0)).save(file, "JPEG", quality=30)
            decoded = np.atleast_3d(np.asarray(Image.open(file))).transpose(2, 0, 1)[:, top:, left:]
            found |= bool((torch.from_numpy(decoded.astype(np.float32)) == noisy).all())
    assert found


def test_better_jpeg_is_nearer():
    smooth = torch.linspace(0, 1, 64).expand(1, 64, 64) * torch.linspace(0, 1, 64)[:, None]
    errors = [float((disturbed("jpeg", smooth, jpeg_quality=(quality,)) - smooth).square().mean()) for quality in (5, 30, 95)]
    assert errors[0] > errors[1] > errors[2]
