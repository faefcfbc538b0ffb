"""Classical methods beside a network, on the very pictures that it is asked about."""

import importlib.util

import numpy as np
import pytest
import torch

import neocog
from data.conftest import picture_bytes
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.evaluation.baselines import BASELINES, noise_deviation
from neocog.images import encode_png

PRESENT = [name for name, method in BASELINES.items() if not method.needs or importlib.util.find_spec(method.needs)]


def smooth(size=(70, 80), channels=1, seed=0):
    """Blocks of one tone each, on the scale [0, 1]."""
    tones = np.random.default_rng(seed).uniform(0.1, 0.9, (channels, 5, 5))
    picture = np.kron(tones, np.ones((1, 16, 16)))[:, : size[0], : size[1]]
    return picture[0] if channels == 1 else picture.transpose(1, 2, 0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PRESENT)
def test_every_method_takes_noise_away(name, channels):
    clean = smooth(channels=channels)
    noisy = clean + np.random.default_rng(1).normal(scale=25 / 255, size=clean.shape)
    restored = BASELINES[name].restore(noisy, 25 / 255)
    assert restored.shape == clean.shape
    assert ((restored - clean) ** 2).mean() < 0.5 * ((noisy - clean) ** 2).mean()


@pytest.mark.parametrize("name", PRESENT)
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (4, 4, 3)])
def test_no_picture_is_too_small(name, shape):
    restored = BASELINES[name].restore(np.full(shape, 0.5), 0.1)
    assert restored.shape == shape
    assert np.isfinite(restored).all()


@pytest.mark.parametrize("name", PRESENT)
def test_without_noise_nothing_fails(name):
    assert np.isfinite(BASELINES[name].restore(smooth(), 0.0)).all()


@pytest.mark.parametrize("sigma", [5, 15, 50])
def test_the_deviation_of_noise_is_told_from_the_picture(sigma):
    noise = np.random.default_rng(0).normal(scale=sigma / 255, size=(300, 300))
    assert noise_deviation(0.5 + noise) * 255 == pytest.approx(sigma, rel=0.05)
    ramp = np.linspace(0, 1, 300)[None] + np.linspace(0, 1, 300)[:, None]
    assert noise_deviation(ramp + noise) == pytest.approx(noise_deviation(noise), rel=1e-6)  # planes are no noise
    assert noise_deviation(np.ones((2, 9))) == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("denoise")
    for number in range(12):
        (folder / "photos").mkdir(exist_ok=True)
        picture = torch.from_numpy((smooth(seed=number, size=(40, 44)) * 255).round().astype(np.uint8))[None]
        (folder / "photos" / f"{number}.png").write_bytes(encode_png(picture))
    choices = {"depth": 3, "width": 4, "epochs": 1, "patches_per_picture": 2, "image_size": (16, 16), "speed": "exact"}
    return neocog.train(folder / "photos", task="denoise", out=folder / "run", progress=False, **choices)


def test_an_evaluation_has_the_methods_beside_the_network(run):
    found = run.evaluate(progress=False)
    assert [baseline.method for baseline in found.baselines] == PRESENT
    by_name = {baseline.method: baseline for baseline in found.baselines}
    assert by_name["median"].psnr > found.metrics["noisy_psnr"] + 2
    assert by_name["non-local means"].ssim > found.metrics["noisy_ssim"]
    assert by_name["median"].settings == "5x5 pixels, 3x3 for sigma up to 20; sigma 25 of 255, known"
    missing = [name for name in BASELINES if name not in PRESENT]
    assert [note.split()[0] for note in found.notes] == missing


def test_they_see_the_same_pictures_as_the_network(run):
    """The median's figure is that of the median of the picture that the task disturbs."""
    from skimage.filters import median

    from neocog.metrics.restoration import psnr
    from neocog.tasks.denoise import quantised

    dataset = open_dataset(run.recipe.dataset, task="denoise")
    found = run.evaluate(progress=False)
    figures = []
    for index in found.indices.tolist():
        noisy = run.trained.task.disturb(Loader(dataset, None, 1).batch(torch.tensor([index])), 9, None)
        restored = median(noisy.pixels[0, 0].double().numpy(), np.ones((5, 5)), mode="reflect", behavior="ndimage")
        figures.append(psnr(dataset.target(index).picture, quantised(torch.from_numpy(restored)[None].float(), 8)))
    assert next(one for one in found.baselines if one.method == "median").psnr == pytest.approx(np.mean(figures))


def test_other_data_and_unknown_noise(run, tmp_path):
    for kind, shift in (("clean", 0), ("noisy", 20)):
        for number in range(2):
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / kind / f"{number}.png").write_bytes(picture_bytes(number + shift))
    found = run.evaluate(tmp_path, progress=False)
    assert len(found.indices) == 2
    assert found.noise is None
    assert all(baseline.settings.endswith("; sigma estimated") for baseline in found.baselines)
    assert found.metrics["noisy_psnr"] < 12  # pictures that have nothing to do with each other


def test_other_tasks_have_none(tmp_path):
    run = neocog.train("digits", out=tmp_path / "run", model="softmax_regression", epochs=1, speed="exact", progress=False)
    assert run.evaluate(progress=False).baselines == ()
