"""Trainings of denoising: every draw follows from numbers, so that one that was killed goes on to the same bits."""

import numpy as np
import pytest
import torch
from PIL import Image

import neocog
from training.kills import left_behind, results

CHOICES = ("--task", "denoise", "--depth", "3", "--width", "4", "--epochs", "3", "--batch-size", "8", "--patches-per-picture", "3")
CHOICES = (*CHOICES, "--image-size", "12x12", "--sigma", "5", "40", "--ema", "0.9", "--speed", "exact")
STEPS = 6  # an epoch: 16 pictures, 3 patches of each, 8 a step


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twenty pictures, some grey, one of 16 bits, of three sizes; one is smaller than a patch."""
    folder, numbers = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for index in range(20):
        size = ((20, 24), (31, 16), (9, 30))[index % 3]
        array = numbers.integers(0, 65536, size).astype(np.uint16) if index == 4 else numbers.integers(0, 256, size).astype(np.uint8)
        Image.fromarray(array).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def whole(commands, photos, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert commands.run("train", photos, *CHOICES, "--out", run) == 0
    return results(run)


@pytest.mark.parametrize(
    "fault",
    [
        {"call": "step", "time": STEPS + 3},
        {"call": "validation", "time": 2},
        {"call": "evaluation", "time": 1},
        {"file": "step-", "moment": "half", "time": 2},
        {"call": "step", "time": 2 * STEPS + 2, "signal": "SIGTERM"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_a_training_that_was_killed_goes_on_to_the_same_bits(commands, photos, whole, tmp_path, fault):
    run = tmp_path / "run"
    assert commands.run("train", photos, *CHOICES, "--out", run, fault=fault) == (130 if "signal" in fault else -9)
    assert commands.run("resume", run) == 0
    assert left_behind(run) == []
    assert results(run) == whole


def test_an_epoch_shows_several_patches_of_each_picture(photos, tmp_path, monkeypatch):
    from neocog.training import batches

    seen = []

    def watched(job, rows):
        batch = each(job, rows)
        seen.append((job.state.epoch, batch))
        return batch

    each = batches._each
    monkeypatch.setattr(batches, "_each", watched)
    choices = {"depth": 3, "width": 4, "epochs": 2, "batch_size": 8, "patches_per_picture": 3, "image_size": (8, 8), "speed": "exact"}
    run = neocog.train(photos, task="denoise", out=tmp_path / "run", progress=False, **choices)
    keys = [key for epoch, batch in seen if epoch == 1 for key in batch.keys.tolist()]
    pictures = [key % 20 for key in keys]
    rows = (run.path / "splits.csv").read_text().splitlines()
    train = sum(",train," in row for row in rows)
    assert len(set(keys)) == len(keys) == 3 * train
    assert all(pictures.count(picture) == 3 for picture in set(pictures))
    patches = {batch.targets.pixels[row].numpy().tobytes() for _, batch in seen for row in range(len(batch))}
    assert len(patches) > 5 * train  # other patches each time
    assert all(batch.targets.disturbed and not torch.equal(batch.pixels, batch.images * 0) for _, batch in seen)


def test_what_is_chosen_from_the_data(photos, tmp_path):
    run = neocog.train(photos, task="denoise", depth=3, width=2, out=tmp_path / "run", progress=False, epochs=1, speed="exact")
    assert run.recipe.model == "dncnn"
    assert run.recipe.image_size == (40, 40)
    assert run.recipe.channels == 1
    assert run.recipe.augment == ("flip", "quarter_turn")
    assert run.recipe.task_options["patches_per_picture"] == 64


def trained(photos, out, **choices):
    small = {"depth": 3, "width": 2, "epochs": 1, "batch_size": 8, "patches_per_picture": 2, "image_size": (12, 12), "speed": "exact"}
    return neocog.train(photos, task="denoise", out=out, progress=False, **{**small, **choices})


def test_large_pictures_come_a_few_at_a_time_to_the_same_end(photos, tmp_path, monkeypatch):
    together = trained(photos, tmp_path / "together")
    monkeypatch.setattr("neocog.training.batches.VALUES_LOADED", 1)
    one_by_one = trained(photos, tmp_path / "one-by-one")
    for name, tensor in together.trained.model.state_dict().items():
        torch.testing.assert_close(
            one_by_one.trained.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-6
        )  # 16 bits beside 8 round otherwise


def test_of_large_pictures_a_window_is_validated(photos, tmp_path, monkeypatch):
    from neocog.tasks.denoise import Denoise

    compared = []

    def watched(task, metrics, outputs, batch, truth):
        compared.append(tuple(batch.pixels.shape[2:]))
        return compare(task, metrics, outputs, batch, truth)

    compare = Denoise.compare
    monkeypatch.setattr(Denoise, "compare", watched)
    monkeypatch.setattr("neocog.training.loop.VALIDATED", (10, 11))
    run = trained(photos, tmp_path / "run")
    validated = compared[: sum(",val," in row for row in (run.path / "splits.csv").read_text().splitlines())]
    assert all(height <= 10 and width <= 11 for height, width in validated)
    assert all(height > 10 or width > 11 for height, width in compared[len(validated) :])  # the last evaluation takes whole ones
