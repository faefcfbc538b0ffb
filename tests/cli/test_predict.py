"""`neocog predict`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import neocog
from cli.folders import hashes, picture, saved
from neocog.data.open import open_dataset
from neocog.evaluation import read_material
from neocog.evaluation.picture_files import batch_of
from neocog.evaluation.reading import Reading
from neocog.images import cover
from neocog.progress import Silent


def test_every_picture_gets_its_answer(tell, trained):
    data, run = trained
    files = [data / "cat" / "0.png", data / "dog" / "1.png"]
    told = tell("predict", run, *files, "--json")
    assert told.exit_code == 0
    rows = told.answer["predictions"]
    assert [row["picture"] for row in rows] == [str(file) for file in files]
    for row in rows:
        assert row["prediction"] in ("cat", "dog")
        assert row["top_classes"][0] == row["prediction"]
        assert row["confidence"] == row["top_probabilities"][0] == max(row["top_probabilities"])
        assert sum(row["top_probabilities"]) == pytest.approx(1)


def test_the_table_for_people(tell, trained):
    data, run = trained
    told = tell("predict", run, data / "cat" / "0.png")
    headings, row = told.out.splitlines()
    assert headings.split("  ")[0] == "picture"
    assert "next answers" in headings
    assert row.split()[0] == str(data / "cat" / "0.png")
    assert row.split()[2].endswith("%")


def test_a_folder_stands_for_its_pictures(tell, trained):
    data, run = trained
    rows = tell("predict", run, data, "--json").answer["predictions"]
    assert [row["picture"] for row in rows] == [str(path) for path in sorted(data.rglob("*.png"))]


def test_what_the_system_leaves_in_a_folder_is_left_out(tell, trained, photos):
    _, run = trained
    data = photos({"cat/._0.png": b"x", "__MACOSX/cat/0.png": b"x", ".thumbnails/0.png": b"x"})
    told = tell("predict", run, data, "--json")
    assert told.exit_code == 0, told.err
    assert len(told.answer["predictions"]) == 20


def test_a_file_without_leave_to_read_is_named(tell, trained, monkeypatch):
    data, run = trained

    def read_bytes(path):
        if path.name == "3.png":
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    told = tell("predict", run, data / "cat", "--json")
    errors = [row["error"] for row in told.answer["predictions"] if "error" in row]
    assert errors == ["a file that cannot be read (Permission denied)"]


def test_pictures_are_resized_by_the_network_s_own_filter(trained):
    data, run = trained
    network = neocog.open_run(run).trained
    preprocess = replace(network.preprocess, size=(9, 9), resize=(9, 9), interpolation="nearest")
    network.model.preprocess = preprocess
    material = read_material(open_dataset(data), network.task, preprocess, allow_bad=False, progress=Silent())
    pictures = [material.dataset.picture(index) for index in range(len(material.dataset))]
    expected = torch.stack([cover(picture, (9, 9), "nearest") for picture in pictures])
    assert torch.equal(material.gathered.pixels, expected)
    assert torch.equal(batch_of(pictures, network.task, Reading.of(preprocess)).pixels, expected)


def test_files_that_cannot_be_read_are_named_and_the_others_answered(tell, trained, tmp_path):
    data, run = trained
    (tmp_path / "empty.png").write_bytes(b"")
    told = tell("predict", run, tmp_path / "empty.png", data / "cat" / "0.png", "--json")
    assert told.exit_code == 0
    bad, good = told.answer["predictions"]
    assert bad == {"picture": str(tmp_path / "empty.png"), "error": "an empty file"}
    assert good["prediction"] in ("cat", "dog")
    assert f"left out: {tmp_path / 'empty.png'}: an empty file" in told.err.splitlines()
    assert str(tmp_path / "empty.png") not in tell("predict", run, tmp_path / "empty.png", data / "cat" / "0.png").out


def test_not_one_file_that_can_be_read_is_an_error(tell, trained, tmp_path):
    _, run = trained
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    told = tell("predict", run, tmp_path / "a.png", tmp_path / "b.png")
    assert told.exit_code == 3
    assert told.err.splitlines()[-3:-1] == [
        "neocog: expected a picture in one of the formats JPEG, PNG, GIF, BMP, TIFF, WebP, PNM",
        f"found {tmp_path / 'a.png'}: a file of another kind, and 1 more file that cannot be read",
    ]


def test_drawings_are_saved_and_replace_nothing(tell, trained, tmp_path):
    _, run = trained
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "0.png").write_bytes(saved(picture(3, 40, 30)))
    before = hashes(shown)
    told = tell("predict", run, shown / "0.png", "--save", shown, "--json")
    drawing = shown / "0-2.png"
    assert told.answer["predictions"][0]["drawing"] == str(drawing)
    assert hashes(shown) == {**before, "0-2.png": hashes(shown)["0-2.png"]}
    with Image.open(drawing) as image:
        assert np.asarray(image.convert("RGB")).std() > 0
        assert min(image.size) >= 30
    assert f"1 picture drawn into {shown}" in tell("predict", run, shown / "0.png", "--save", shown).out


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["RUN"], ["expected pictures, or folders of them", "found none", "to do: name them, as neocog predict RUN picture.jpg"]),
        (
            ["--model", "mlp"],
            ["expected pictures, or folders of them", "found none", "to do: name them, as neocog predict --model mlp picture.jpg"],
        ),
        (["RUN", "nowhere.png"], ["expected a picture that exists", "found nowhere.png", "to do: check the path"]),
        (["RUN", "."], ["expected a picture, or a folder of pictures", "found ., a folder without any", "to do: check the path"]),
        (["nowhere", "a.png"], ["expected the folder of a run", "found nowhere, which is not there", "to do: check the path"]),
        (
            ["--weights", "w.pth", "a.png"],
            ["expected --model beside --weights", "found none", "to do: name the architecture, as --model mobilenet_v2"],
        ),
        (["RUN", "a.png", "--model", "mlp"], ["expected a run or --model", "found both, RUN and mlp", "to do: leave one of them away"]),
        (["RUN", "a.png", "--banana", "3"], ["expected a flag of neocog predict", "found '--banana'", "to do: see neocog predict --help"]),
    ],
)
def test_what_is_refused(words, lines, tell, trained, tmp_path, monkeypatch):
    _, run = trained
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    told = tell("predict", *(str(run) if word == "RUN" else word for word in words))
    assert told.exit_code == 2
    assert told.err.splitlines()[-3:] == ["neocog: " + lines[0], *(line.replace("RUN", str(run)) for line in lines[1:])]


def test_a_network_made_on_the_spot_takes_its_options(tell, tmp_path):
    (tmp_path / "a.png").write_bytes(saved(picture(0, 28, 28)))
    told = tell("predict", "--model", "mlp", "--widths", "8", "4", "--", tmp_path / "a.png")
    assert told.exit_code == 0, told.err
    assert "note: the weights are random: its answers mean nothing" in told.err
    assert "--widths" in tell("predict", "--model", "mlp", "--help").out


@pytest.mark.realdata
@pytest.mark.parametrize(("wnid", "name"), [("n02099601", "golden retriever"), ("n03063599", "coffee mug"), ("n02132136", "brown bear")])
def test_published_weights_name_the_object_in_a_photo(wnid, name, tell, real_data):
    weights = real_data / "weights" / "mobilenet_v2-tf2ptq-tv.pth"
    told = tell("predict", "--model", "mobilenet_v2", "--weights", weights, real_data / "imagenet-sample" / wnid, "--json")
    assert [row["prediction"] for row in told.answer["predictions"]] == [name]
