"""A segmentation that is killed goes on to the same bits; what its training takes by itself; how its images are normalised."""

import numpy as np
import pytest
import torch
from PIL import Image

import neocog
from neocog.data.dataset import Dataset
from neocog.data.open import layout_of, open_dataset
from neocog.errors import DataError
from neocog.recipe import Recipe
from neocog.training.choices import CHOICES, Choices, choices_of
from neocog.training.defaults import choose_network, members_in_question
from training.kills import left_behind, results

SHAPES = (
    *("train", "shapes", "--task", "segment", "--model", "unet", "--base", "4", "--depth", "2", "--count", "60", "--size", "24x32"),
    *("--image-size", "16x20", "--augment", "flip", "scale", "color_jitter", "--balance", "median_frequency", "--loss", "focal"),
    *("--epochs", "3", "--batch-size", "16", "--ema", "0.9", "--seed", "3", "--speed", "exact"),
)
STEPS = 3  # an epoch


@pytest.fixture(scope="module")
def unkilled(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("unkilled") / "run"
    assert commands.run(*SHAPES, "--out", run) == 0
    return results(run), masks_of(run)


def masks_of(run):
    return {path.name: path.read_bytes() for path in (run / "predictions").iterdir()}


POINTS = {
    "within an epoch": {"call": "step", "time": STEPS + 2},
    "with half of a checkpoint written": {"file": "step-", "moment": "half", "time": 2},
    "in the final evaluation": {"call": "evaluation", "time": 1},
    "while the masks are written": {"file": "000002.png", "moment": "half", "time": 1},
}


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_changes_nothing(commands, unkilled, tmp_path, point):
    run = tmp_path / "run"
    assert commands.run(*SHAPES, "--out", run, fault=POINTS[point]) == -9
    assert commands.run("resume", run) == 0
    assert (results(run), masks_of(run)) == unkilled
    assert left_behind(run) == []


@pytest.mark.slow
def test_windows_of_files_go_on_where_they_stopped(commands, tmp_path):
    numbers = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (tmp_path / "cells" / kind).mkdir(parents=True)
    for index in range(20):
        size = (30 + index, 50 - index)
        mask = (numbers.random(size) < 0.5).astype(np.uint8)
        Image.fromarray(np.stack([mask * 200] * 3, axis=2) + numbers.integers(0, 50, (*size, 3), dtype=np.uint8)).save(
            tmp_path / "cells" / "images" / f"{index}.png"
        )
        Image.fromarray(mask).save(tmp_path / "cells" / "masks" / f"{index}.png")
    command = ("train", tmp_path / "cells", "--model", "unet", "--base", "4", "--depth", "1", "--image-size", "16x16", "--epochs", "3")
    command = (*command, "--batch-size", "4", "--speed", "exact")
    whole, stopped = tmp_path / "whole" / "run", tmp_path / "stopped" / "run"
    assert commands.run(*command, "--out", whole) == 0
    assert neocog.open_run(whole).recipe.task_options["fit"] == "crop"
    assert commands.run(*command, "--out", stopped, fault={"call": "step", "time": 6}) == -9
    assert commands.run("resume", stopped) == 0
    assert results(stopped) == results(whole)


class Pictures(Dataset):
    """What the choices look at of a dataset."""

    def __init__(self, size, *, alike=True, mirrored=True):
        self.typical_size, self.alike, self.mirrored = size, alike, mirrored
        self.channels, self.task = 3, "segment"


Pictures.__abstractmethods__ = frozenset()  # nobody asks for the pictures themselves


@pytest.mark.parametrize(
    ("size", "alike", "chosen"),
    [
        ((360, 480), True, ("unet", (180, 240), "letterbox", {"base": 32}, ("color_jitter", "flip", "random_resized_crop"))),
        ((375, 500), False, ("unet", (180, 240), "crop", {"base": 32}, ("color_jitter", "flip", "scale"))),
        ((64, 64), True, ("unet", (64, 64), "letterbox", {"base": 16}, ("flip",))),
        ((100, 130), True, ("unet", (100, 130), "letterbox", {"base": 32}, ("color_jitter", "flip", "random_resized_crop"))),
    ],
)
def test_what_suits_the_pictures(size, alike, chosen):
    recipe = choose_network(Recipe(dataset="a name"), Pictures(size, alike=alike))
    assert (recipe.model, recipe.image_size, recipe.task_options["fit"], recipe.model_options, recipe.augment) == chosen


def test_a_fit_that_is_given_decides_on_the_augmentation():
    dataset = open_dataset("shapes", "segment", size=(100, 130), count=3)
    assert "scale" in choose_network(Recipe(dataset="shapes"), dataset, {"fit": "crop"}).augment
    assert "random_resized_crop" in choose_network(Recipe(dataset="shapes"), dataset, {}).augment


def test_a_network_that_is_named_keeps_its_own_options():
    dataset = open_dataset("shapes", "segment", count=3)
    assert choose_network(Recipe(dataset="shapes", model="unet"), dataset).model_options == {}


@pytest.mark.parametrize("task", CHOICES)
def test_every_task_has_its_choices(task):
    assert isinstance(CHOICES[task], Choices)
    assert choices_of(task) is CHOICES[task]
    assert choices_of("detect") is CHOICES["classify"]


def test_images_are_normalised_by_the_training_pictures_as_they_are_shown(tmp_path):
    choices = {
        "task": "segment",
        "model": "unet",
        "base": 4,
        "depth": 1,
        "epochs": 1,
        "count": 30,
        "size": (20, 40),
        "image_size": (16, 16),
    }
    run = neocog.train("shapes", out=tmp_path / "run", progress=False, speed="exact", **choices)
    dataset = open_dataset("shapes", "segment", count=30, size=(20, 40))
    names = {line.split(",")[0] for line in (tmp_path / "run" / "splits.csv").read_text().splitlines() if ",train," in line}
    small = [
        torch.nn.functional.interpolate(dataset.picture(i)[None], size=(8, 16), mode="bilinear", antialias=True)[0].double() / 255
        for i in range(30)
        if dataset.where(i) in names
    ]
    pixels = torch.stack(small).transpose(0, 1).flatten(1)  # the letterbox's black borders have no part in it
    assert run.trained.preprocess.mean == pytest.approx(pixels.mean(1).tolist(), abs=1e-3)
    assert run.trained.preprocess.std == pytest.approx(pixels.std(1, unbiased=False).tolist(), abs=1e-3)


def test_a_folder_of_pictures_and_masks_tells_whose_options_may_be_given(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "cells" / kind).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "cells" / kind / "1.png")
    members = [member[:2] for member in members_in_question(Recipe(dataset=str(tmp_path / "cells")))]
    assert members[:3] == [("layout", "pictures and masks"), ("task", "segment"), ("architecture", "unet")]
    assert layout_of(tmp_path / "nowhere") is None
    assert layout_of(tmp_path / "cells", "classify").name == "class folders"


def test_pictures_none_of_which_can_be_used_are_refused_by_the_first_fault(tmp_path):
    for kind, side in (("images", 20), ("masks", 10)):
        (tmp_path / "cells" / kind).mkdir(parents=True)
        for index in range(3):
            Image.fromarray(np.full((side, side), index % 2, dtype=np.uint8)).save(tmp_path / "cells" / kind / f"{index}.png")
    with pytest.raises(DataError) as error:
        neocog.train(tmp_path / "cells", out=tmp_path / "run", progress=False, allow_bad=True)
    first = "images/0.png: masks/0.png of 10x10 for a picture of 20x20"
    assert (error.value.found, error.value.remedy) == (f"3 in cells, none of them for training; {first}", "repair or add pictures")
    assert not (tmp_path / "run").exists()
