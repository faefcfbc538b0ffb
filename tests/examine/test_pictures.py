"""Pictures of files and of data as a network sees them, and a question that keeps to its subject."""

from dataclasses import replace

import pytest
import torch

from examine.handmade import noise
from examine.requesting import convolutional, data_of, request
from neocog.errors import PictureError, UsageError
from neocog.examine.pictures import Pictures
from neocog.images import encode_png
from neocog.models import MODELS
from neocog.run import make_on_the_spot


def write(folder, pixels):
    for number, picture in enumerate(pixels):
        (folder / f"{number}.png").write_bytes(encode_png(picture))
    return folder


def test_files_come_in_batches_with_their_names(tmp_path, monkeypatch):
    from neocog.examine import pictures

    monkeypatch.setattr(pictures, "taken_at_once", lambda *_: 2)
    pixels = noise(5, 8)
    found = list(Pictures(request(pictures=(write(tmp_path, pixels),))))
    assert [len(shown.batch) for shown in found] == [2, 2, 1]
    assert [name for shown in found for name in shown.names] == [f"{number}.png" for number in range(5)]
    torch.testing.assert_close(torch.cat([shown.batch.images for shown in found]), pixels / 255)
    assert [truth for shown in found for truth in shown.truths] == [None] * 5


def test_of_data_a_few_are_drawn_and_their_classes_are_known():
    asked = Pictures(request(open_data=data_of(30)), most=7)
    (shown,) = asked
    assert len(asked) == len(shown.batch) == 7
    assert shown.truths == [int(key) % 3 for key in shown.batch.keys]
    assert shown.batch.keys.tolist() == sorted(set(shown.batch.keys.tolist()))
    (again,) = Pictures(request(open_data=data_of(30)), most=7)
    (other,) = Pictures(request(open_data=data_of(30), seed=1), most=7)
    assert again.batch.keys.tolist() == shown.batch.keys.tolist() != other.batch.keys.tolist()


def test_the_question_is_about_the_decision_and_stays_so_when_pixels_change():
    trained = convolutional()
    (shown,) = Pictures(request(trained))
    images = shown.batch.images
    scores = shown.objective.scores(images)
    decided = scores.argmax(dim=1)
    torch.testing.assert_close(shown.objective.score(images), scores.amax(dim=1))
    assert [prediction.answer.index for prediction in shown.predictions] == decided.tolist()
    elsewhere = 1 - images
    torch.testing.assert_close(shown.objective.score(elsewhere), shown.objective.scores(elsewhere).gather(1, decided[:, None])[:, 0])


def test_another_class_can_be_asked_about():
    (shown,) = Pictures(request(about=2))
    torch.testing.assert_close(shown.objective.score(shown.batch.images), shown.objective.scores(shown.batch.images)[:, 2])
    assert (shown.objective.loss(shown.batch.images) > 0).all()


def test_a_file_that_cannot_be_read_is_left_out_and_named(tmp_path):
    write(tmp_path, noise(2, 8))
    (tmp_path / "0.png").write_bytes(b"no picture")
    asked = Pictures(request(pictures=(tmp_path,)))
    (shown,) = asked
    assert shown.names == ["1.png"]
    assert len(asked.left_out) == 1
    assert asked.left_out[0].startswith(f"{tmp_path / '0.png'}: ")
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(PictureError) as error:
        list(Pictures(request(pictures=(tmp_path,))))
    assert error.value.found == f"{tmp_path / '0.png'}: a file of another kind"


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(UsageError) as error:
        Pictures(request(pictures=(tmp_path / "none.png",)))
    assert error.value.args == ("a picture that exists", str(tmp_path / "none.png"), "check the path")


def test_a_picture_smaller_than_the_network_takes(tmp_path, monkeypatch):
    trained = make_on_the_spot("dncnn")
    monkeypatch.setattr(MODELS, "_members", {**{name: MODELS[name] for name in MODELS}, "dncnn": replace(MODELS["dncnn"], min_size=16)})
    write(tmp_path, noise(1, 10, 3))
    with pytest.raises(UsageError) as error:
        list(Pictures(request(trained, pictures=(tmp_path,))))
    assert error.value.args == ("pictures of at least 16x16 pixels for dncnn", "0.png with 10x10", "give a larger one")


def test_of_a_segmentation_the_decisions_are_asked_about_or_a_class_where_it_is_seen(tmp_path):
    trained = make_on_the_spot("unet", options={"base": 2, "depth": 1})
    write(tmp_path, noise(1, 24, 3))
    (shown,) = Pictures(request(trained, pictures=(tmp_path,)))
    images = shown.batch.images
    with torch.no_grad():
        logits = trained.model(trained.preprocess.normalise(images))
    torch.testing.assert_close(shown.objective.score(images), logits.amax(dim=1).mean(dim=(1, 2)))
    for about in (int(logits.argmax(dim=1)[0, 0, 0]), int(logits.mean(dim=(0, 2, 3)).argmin())):
        (shown,) = Pictures(request(trained, pictures=(tmp_path,), about=about))
        seen = logits.argmax(dim=1) == about
        region = seen if seen.any() else torch.ones_like(seen)
        torch.testing.assert_close(shown.objective.score(images), logits[:, about][region].mean()[None])
        assert shown.objective.loss(images).item() > 0
