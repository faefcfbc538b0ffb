"""Other noise in an evaluation than in the training: the pictures that the network and the classical methods see, and what is kept."""

import dataclasses

import numpy as np
import pytest
import torch

import neocog
from cli.folders import hashes
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.errors import RecipeError, UsageError
from neocog.evaluation import OtherNoise, noise_in_words
from neocog.images import encode_png
from neocog.metrics.restoration import psnr
from neocog.noise import NOISES
from neocog.tasks.denoise import quantised

COUNT = 10


def photo(number, size=(41, 50)):
    tones = np.random.default_rng(number).uniform(60, 190, (6, 7))
    return torch.from_numpy(np.kron(tones, np.ones((8, 8)))[: size[0], : size[1]].round().astype(np.uint8))[None]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    (folder / "photos").mkdir()
    for number in range(COUNT):
        (folder / "photos" / f"{number}.png").write_bytes(encode_png(photo(number)))
    choices = {"depth": 3, "width": 4, "epochs": 1, "patches_per_picture": 2, "image_size": (16, 16), "speed": "exact"}
    return neocog.train(folder / "photos", task="denoise", sigma=(5.0, 50.0), out=folder / "run", progress=False, **choices)


@pytest.mark.parametrize("sigma", [15.0, 50.0])
def test_figures_are_those_of_pictures_with_that_noise(run, sigma):
    """Against the network asked directly about pictures that are disturbed by hand."""
    found = run.evaluate(run.recipe.dataset, sigma=(sigma,), progress=False)
    assert found.noise == {"noise": "gaussian", "sigma": (sigma,)}
    dataset, task = open_dataset(run.recipe.dataset, task="denoise"), run.trained.task.with_noise({"sigma": (sigma,)})
    noisy, restored, deviations = [], [], []
    for index in range(COUNT):
        clean = dataset.target(index).picture
        images = task.disturb(Loader(dataset, None, 1).batch(torch.tensor([index])), 0, None).pixels
        deviations.append(float((images[0] - clean / 255).std()) * 255)
        with torch.no_grad():
            answer = run.trained.model(images)
        noisy.append(psnr(clean, quantised(images[0], 8)))
        restored.append(psnr(clean, quantised(answer[0], 8)))
    assert np.mean(deviations) == pytest.approx(sigma, rel=0.03)
    assert found.metrics["noisy_psnr"] == pytest.approx(np.mean(noisy))
    assert found.metrics["psnr"] == pytest.approx(np.mean(restored), abs=1e-4)


def test_classical_methods_know_the_noise_of_the_evaluation(run):
    own = run.evaluate(progress=False)
    other = run.evaluate(sigma=(15.0,), progress=False)
    assert own.baselines[0].settings.endswith("; sigma estimated")
    assert other.baselines[0].settings.endswith("; sigma 15 of 255, known")
    known = {baseline.method: baseline.psnr for baseline in other.baselines}
    assert known["non-local means"] > other.metrics["noisy_psnr"] + 2


def test_the_runs_own_evaluation_is_not_replaced(run, tmp_path):
    own = run.evaluate(progress=False)
    assert own.noise == {"noise": "gaussian", "sigma": (5.0, 50.0)}
    before = hashes(run.path)
    assert run.evaluate(sigma=(15.0,), progress=False).files == ()
    with pytest.raises(UsageError) as caught:
        run.evaluate(sigma=(15.0,), save=run.path, progress=False)
    assert caught.value.found == f"{run.path}, a run"
    saved = run.evaluate(sigma=(15.0,), save=tmp_path / "kept", progress=False).files
    assert {path.name for path in saved} == {"predictions.parquet", "evaluation.json", "worst.png"}
    assert hashes(run.path) == before
    before.pop("evaluation.json")  # has the seconds that the classical methods took
    same = run.evaluate(sigma=(5.0, 50.0), noise="gaussian", progress=False)  # said aloud, but its own
    assert same.metrics == own.metrics
    assert same.files == own.files
    assert {name: digest for name, digest in hashes(run.path).items() if name != "evaluation.json"} == before


def test_every_kind_of_noise_can_be_chosen(run):
    names = [field.name for noise in NOISES for field in dataclasses.fields(NOISES[noise].Options)]
    assert sorted(field.name for field in dataclasses.fields(OtherNoise)) == sorted(["noise", *names])
    assert all(field.default is None and field.metadata["help"] for field in dataclasses.fields(OtherNoise))
    for noise in NOISES:
        assert run.evaluate(split="val", noise=noise, progress=False).noise == run.trained.task.with_noise({"noise": noise}).noise_choices


def test_noise_in_words():
    assert noise_in_words({"noise": "gaussian", "sigma": (0.0, 55.0)}) == "gaussian, sigma 0 to 55"
    assert noise_in_words({"noise": "jpeg", "jpeg_quality": [10]}) == "jpeg, jpeg quality 10"


def test_an_unknown_option_is_named(run):
    with pytest.raises(RecipeError) as caught:
        run.evaluate(sigmo=(15.0,), progress=False)
    assert str(caught.value) == "expected: an option of the noise of an evaluation\nfound: 'sigmo'\nto do: did you mean sigma?"


@pytest.mark.parametrize("views", [("flip",), ("quarter_turn", "flip")])
def test_views_of_an_evaluation(run, views):
    """The mean over the views is that of pictures laid otherwise by hand; the first view is the plain answer."""
    found = run.evaluate(tta=views, sigma=(25.0,), progress=False)
    assert found.members[0].first_view == pytest.approx(run.evaluate(sigma=(25.0,), progress=False).metrics)
    dataset, task = open_dataset(run.recipe.dataset, task="denoise"), run.trained.task.with_noise({"sigma": (25.0,)})
    figures = []
    for index in found.indices.tolist():
        images = task.disturb(Loader(dataset, None, 1).batch(torch.tensor([index])), 0, None).pixels
        told = []
        for turns in range(4 if "quarter_turn" in views else 1):
            for mirrored in (False, True):
                laid = torch.rot90(images.flip(3) if mirrored else images, turns, (2, 3))
                with torch.no_grad():
                    back = torch.rot90(run.trained.model(laid), -turns, (2, 3))
                told.append(back.flip(3) if mirrored else back)
        figures.append(psnr(dataset.target(index).picture, quantised(torch.stack(told).mean(dim=0)[0], 8)))
    assert found.metrics["psnr"] == pytest.approx(np.mean(figures), abs=1e-4)
    assert found.cost.views == 2 * (4 if "quarter_turn" in views else 1)


def test_a_network_with_itself_answers_as_alone(run):
    alone, twice = (run.evaluate(run.recipe.dataset, together_with=others, progress=False) for others in ((), run))
    assert twice.metrics == pytest.approx(alone.metrics)
    assert [member.metrics for member in twice.members] == [pytest.approx(alone.metrics)] * 2
