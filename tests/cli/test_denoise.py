"""`--task denoise` from the command line: train, evaluate, predict; what cannot be used is named."""

import json

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


def test_other_noise_than_in_the_training(tell, photos, tmp_path):
    run = tmp_path / "run"
    assert tell("train", photos, *SMALL, "--sigma", "0", "55", "--out", run).exit_code == 0
    own = tell("evaluate", run, "--json").answer
    assert own["noise"] == {"noise": "gaussian", "sigma": [0.0, 55.0]}
    before = hashes(run)
    found = {}
    for sigma in ("15", "50"):
        told = tell("evaluate", run, "--sigma", sigma, "--json")
        assert told.exit_code == 0, told.err
        assert told.answer["noise"] == {"noise": "gaussian", "sigma": [float(sigma)]}
        assert told.answer["files"] == []
        assert told.answer["baselines"][0]["settings"].endswith(f"sigma {sigma} of 255, known")
        found[sigma] = told.answer["metrics"]["test/noisy_psnr"]
    assert found["15"] == pytest.approx(20 * np.log10(255 / 15), abs=0.7)  # less what is cut off at black and white
    assert found["15"] > found["50"] + 9
    shown = tell("evaluate", run, photos, "--noise", "jpeg", "--jpeg-quality", "10", "40", "--save", tmp_path / "kept").out
    assert "noise       jpeg, jpeg quality 10 to 40" in shown
    assert "sigma estimated" in shown
    kept = json.loads((tmp_path / "kept" / "evaluation.json").read_text())
    assert kept["noise"] == {"noise": "jpeg", "jpeg_quality": [10, 40]}
    assert hashes(run) == before
    assert tell("evaluate", run, "--sigma", "0", "55", "--json").answer["files"] != []  # its own noise, so its own evaluation


def test_noise_is_refused_where_there_is_none_to_choose(tell, refused, photos, tmp_path):
    digits, pairs = tmp_path / "digits", tmp_path / "pairs"
    assert tell("train", "digits", "--model", "softmax_regression", "--epochs", "1", "--speed", "exact", "--out", digits).exit_code == 0
    refused(
        ["evaluate", digits, "--sigma", "15", "--noise", "gaussian"],
        2,
        "a network that denoises, for the choice of noise and sigma",
        "one to classify",
        "leave noise and sigma out",
    )
    for kind in ("clean", "noisy"):
        (pairs / kind).mkdir(parents=True)
        (pairs / kind / "1.png").write_bytes(photo(1))
    refused(
        ["evaluate", "--model", "dncnn", "--depth", "3", "--width", "4", pairs, "--sigma", "15"],
        2,
        "clean pictures, for the choice of sigma",
        "pairs, pairs whose noise is their own",
        "leave sigma out, or name a folder of clean pictures",
    )
    refused(
        ["evaluate", "--model", "dncnn", "--depth", "3", "--width", "4", photos, "--peak", "15"],
        2,
        "options of the noise gaussian",
        "peak of poisson",
        "leave it out, or choose --noise poisson",
    )
    refused(
        ["evaluate", "--model", "dncnn", "--depth", "3", "--width", "4", photos, "--sigma", "much"],
        2,
        "a number for --sigma",
        "'much'",
        "write --sigma and a number",
    )


def test_views_and_a_second_network(tell, photos, tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    for place, seed in ((run, "0"), (other, "1")):
        assert tell("train", photos, *SMALL, "--seed", seed, "--out", place).exit_code == 0
    before = hashes(run)
    told = tell("evaluate", run, photos, "--with", other, "--tta", "flip", "quarter_turn", "--save", tmp_path / "kept", "--json")
    assert told.exit_code == 0, told.err
    answer = told.answer
    assert (answer["cost"]["networks"], answer["cost"]["views"]) == (2, 8)
    assert answer["views"] == ["flip", "quarter_turn"]
    assert {"all/psnr", "all/ssim"} <= set(answer["members"][1]["first_view"])
    shown = tell("evaluate", run, photos, "--with", other, "--tta", "flip").out
    assert "2 networks together, 2 views" in shown
    assert "psnr, first view" in shown
    restored = tell("predict", run, photos / "3.png", "--with", other, "--tta", "flip", "--save", tmp_path / "out")
    assert restored.exit_code == 0, restored.err
    assert "2 networks, 2 views of each picture: " in restored.out
    assert (tmp_path / "out" / "3.png").is_file()
    assert hashes(run) == before


def test_views_of_a_part_of_a_picture_are_refused(refused, photos):
    refused(
        ["evaluate", "--model", "dncnn", "--depth", "3", "--width", "4", photos, "--tta", "crops"],
        2,
        "views of the whole picture (flip, quarter_turn), as the answer has a place in it",
        "crops",
        "leave it away",
    )


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
