"""`--task denoise` from the command line: train, evaluate, predict; what cannot be used is named."""

import numpy as np
import pytest
import torch

from cli.folders import hashes
from neocog.data.open import open_dataset
from neocog.errors import DataError
from neocog.images import encode_png

SMALL = ("--task", "denoise", "--depth", "3", "--width", "4", "--epochs", "1", "--patches-per-picture", "2", "--speed", "exact")


def photo(number, size=(40, 44)):
    tones = np.random.default_rng(number).integers(20, 230, (5, 5))
    picture = np.kron(tones, np.ones((10, 10)))[: size[0], : size[1]].astype(np.uint8)
    return encode_png(torch.from_numpy(picture)[None])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.png").write_bytes(photo(number))
    return folder


def test_train_evaluate_and_predict(tell, photos, tmp_path):
    before, run = hashes(photos), tmp_path / "run"
    told = tell("train", photos, *SMALL, "--sigma", "15", "--out", run, "--json")
    assert told.exit_code == 0, told.err
    assert told.answer["task"] == "denoise"
    assert {"test/psnr", "test/ssim", "test/noisy_psnr", "test/noisy_ssim"} <= set(told.answer["metrics"])
    evaluated = tell("evaluate", run, "--json").answer
    assert evaluated["metrics"]["test/psnr"] == pytest.approx(told.answer["metrics"]["test/psnr"])
    assert {"gaussian", "median", "total variation", "non-local means"} <= {one["method"] for one in evaluated["baselines"]}
    shown = tell("evaluate", run).out
    for words in ("noisy pictures", "dncnn", "total variation", "non-local means", "sigma 15 of 255, known"):
        assert words in shown
    restored = tell("predict", run, photos / "3.png", "--save", tmp_path / "out", "--json")
    (row,) = restored.answer["predictions"]
    assert row["restored"] == str(tmp_path / "out" / "3.png")
    assert row["drawing"] == str(tmp_path / "out" / "3-strip.png")
    assert "restored into" in tell("predict", run, photos / "3.png", "--save", tmp_path / "out").out
    assert hashes(photos) == before


def test_a_blind_network_is_told_that_the_noise_is_estimated(tell, photos, tmp_path):
    run = tmp_path / "run"
    assert tell("train", photos, *SMALL, "--sigma", "5", "30", "--out", run).exit_code == 0
    assert "sigma estimated" in tell("evaluate", run).out
    assert "sigma = [5.0, 30.0]" in (run / "recipe.toml").read_text()


@pytest.mark.parametrize("noise", ["poisson", "salt_and_pepper", "jpeg"])
def test_every_noise_trains(tell, photos, tmp_path, noise):
    assert tell("train", photos, *SMALL, "--noise", noise, "--out", tmp_path / "run").exit_code == 0


def test_pairs_with_some_that_cannot_be_used(tell, tmp_path):
    data, run = tmp_path / "scans", tmp_path / "run"
    for kind, shift in (("clean", 0), ("noisy", 40)):
        (data / kind).mkdir(parents=True)
        for number in range(12):
            (data / kind / f"{number}.png").write_bytes(photo(number + shift))
    (data / "noisy" / "alone.png").write_bytes(photo(99))
    (data / "clean" / "5.png").write_bytes(photo(5, size=(20, 20)))
    (data / "noisy" / "7.png").write_bytes(b"")
    told = tell("train", data, *SMALL, "--out", run)
    assert told.exit_code == 0, told.err
    assert "set aside: noisy/alone.png: partner: no partner of its name" in told.err
    assert "set aside: noisy/5.png: partner: clean/5.png of 20x20 for a picture of 40x44" in told.err
    assert "set aside: noisy/7.png: empty" in told.err
    assert tell("evaluate", run).exit_code == 0


def test_wrong_requests_are_refused_in_words(refused, photos, tmp_path):
    refused(
        ["train", photos, *SMALL, "--noise", "gausian", "--out", tmp_path / "run"],
        2,
        "the name of a kind of noise",
        "'gausian'",
        "did you mean gaussian?",
    )
    refused(
        ["train", photos, *SMALL, "--peak", "5", "--out", tmp_path / "run"],
        2,
        "options of the noise gaussian",
        "peak of poisson",
        "leave it out, or choose --noise poisson",
    )
    refused(
        ["train", photos, *SMALL, "--augment", "rotation", "--out", tmp_path / "run"],
        2,
        "geometry that keeps every pixel's value",
        "rotation",
        "choose among alternating_flip, flip, pad_and_crop, quarter_turn",
    )
    assert not (tmp_path / "run").exists()


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path, "denoise")
    assert "pairs: clean/ and noisy/" in caught.value.remedy
    assert "pictures: any folder of clean pictures" in caught.value.remedy
