"""Segmenting picture files: at the source's size, in tiles as whole, and what is written of it."""

import numpy as np
import pytest
import torch
from PIL import Image

import neocog
from neocog.data.open import open_dataset
from neocog.engine import tiles
from neocog.evaluation import assemble
from neocog.evaluation.cost import Stopwatch
from neocog.images import decode, decode_mask
from neocog.prediction import segmented

CHOICES = {"task": "segment", "model": "unet", "base": 4, "depth": 2, "epochs": 1, "count": 40, "size": (32, 40), "image_size": (32, 40)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By how pictures meet the input."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        fit: neocog.train("shapes", out=folder / fit, fit=fit, progress=False, speed="exact", **CHOICES) for fit in ("letterbox", "crop")
    }


def segment_in_tiles(trained, pixels, views=()):
    return segmented.segment_in_tiles(assemble([trained], views), pixels, [Stopwatch(warm=True)])


def picture(path, size=(70, 50)):
    pixels = open_dataset("shapes", "segment", count=1, size=size).picture(0)
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
    return path


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
def test_answers_have_the_sources_size(runs, fit, tmp_path):
    file = picture(tmp_path / "a.png")
    (answer,) = runs[fit].predict(file, save=tmp_path / "out", progress=False)
    assert answer.prediction.answer.classes.shape == answer.prediction.scores.shape == (70, 50)
    assert answer.drawing == tmp_path / "out" / "a.png"
    assert answer.mask == tmp_path / "out" / "a-classes.png"
    assert torch.equal(decode_mask(answer.mask.read_bytes()), answer.prediction.answer.classes)
    with Image.open(answer.drawing) as drawn:
        assert drawn.width >= 50
    row = answer.to_dict()
    assert (row["height"], row["width"]) == (70, 50)
    assert sum(row["shares"].values()) == pytest.approx(1)
    assert list(row["shares"].values()) == sorted(row["shares"].values(), reverse=True)
    assert row["mask"] == str(answer.mask)


def test_files_of_others_are_not_replaced(runs, tmp_path):
    file = picture(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a-classes.png").write_text("mine")
    (answer,) = runs["letterbox"].predict(file, save=tmp_path / "out", progress=False)
    assert (tmp_path / "out" / "a-classes.png").read_text() == "mine"
    assert answer.mask.name == "a-classes-2.png"


def test_tiles_answer_as_the_whole_picture_does(runs, monkeypatch):
    trained = runs["crop"].trained
    pixels = open_dataset("shapes", "segment", count=1, size=(201, 170)).picture(0)
    whole = segment_in_tiles(trained, pixels)
    monkeypatch.setattr(tiles, "WINDOW", 96)
    counted = []
    real = tiles.Parting.tiles
    monkeypatch.setattr(tiles.Parting, "tiles", lambda parting, size: counted.append(real(parting, size)) or counted[0])
    pieces = segment_in_tiles(trained, pixels)
    assert len(counted[0]) > 4
    assert torch.equal(pieces.answer.classes, whole.answer.classes)
    torch.testing.assert_close(pieces.scores, whole.scores, rtol=0, atol=2e-3)


def test_views_and_networks_are_averaged_tile_by_tile(runs, monkeypatch):
    """As the mean of the class probabilities of whole pictures."""
    trained, views = runs["crop"].trained, ("flip", "quarter_turn")
    pixels = open_dataset("shapes", "segment", count=1, size=(101, 130)).picture(0)
    images = trained.preprocess.normalise(pixels[None] / 255)
    told = []
    with torch.no_grad():
        for turns in range(4):
            for mirrored in (False, True):
                laid = torch.rot90(images.flip(3) if mirrored else images, turns, (2, 3))
                back = torch.rot90(trained.model(laid), -turns, (2, 3))
                told.append((back.flip(3) if mirrored else back).softmax(dim=1))
    expected = torch.stack(told).mean(dim=0)[0]
    monkeypatch.setattr(tiles, "WINDOW", 64)
    found = segment_in_tiles(trained, pixels, views)
    torch.testing.assert_close(found.scores.float(), expected.amax(dim=0), rtol=0, atol=2e-3)
    assert float((found.answer.classes.int() == expected.argmax(dim=0)).float().mean()) > 0.999


def test_an_evaluation_in_tiles_is_that_of_whole_pictures(runs, monkeypatch):
    run = runs["crop"]
    whole = run.evaluate(progress=False)
    monkeypatch.setattr(tiles, "WINDOW", 24)
    assert run.evaluate(progress=False).metrics == pytest.approx(whole.metrics)


def test_a_large_picture_is_drawn_as_it_was_read(runs, tmp_path):
    """As one that is read again: the drawing is of the picture made small, and of the classes at its pixels."""
    file = picture(tmp_path / "a.png", size=(30, 2100))
    run = runs["letterbox"]
    (answer,) = run.predict(file, save=tmp_path / "out", progress=False)
    assert tuple(answer.shown.shape) == (3, 23, 1600)
    again = run.trained.task.draw(decode(file.read_bytes()), answer.prediction)
    assert torch.equal(decode(answer.drawing.read_bytes()), again)


def test_a_file_that_is_no_picture_is_named_beside_the_others(runs, tmp_path):
    file = picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    for run in runs.values():
        good, bad = run.predict(file, tmp_path / "b.png", progress=False)
        assert good.error is None
        assert bad.error.found == "a file of another kind"


def test_views_are_averaged_at_either_scale(runs, tmp_path):
    file = picture(tmp_path / "a.png")
    for run in runs.values():
        (answer,) = run.predict(file, tta="flip", progress=False)
        assert answer.prediction.answer.classes.shape == (70, 50)


def test_a_picture_of_one_pixel(runs, tmp_path):
    Image.fromarray(np.full((1, 1, 3), 90, dtype=np.uint8)).save(tmp_path / "dot.png")
    for fit in ("letterbox", "crop"):
        (answer,) = runs[fit].predict(tmp_path / "dot.png", save=tmp_path / fit, progress=False)
        assert answer.prediction.answer.classes.shape == (1, 1)
