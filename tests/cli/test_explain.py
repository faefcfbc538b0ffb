"""`neocog explain`, called as a person calls it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import neocog
from cli.folders import TRAINING, hashes, picture, saved, write_photos
from neocog.cli.frame import run_command_line
from neocog.examine import EXAMINATIONS
from neocog.explain import EXPLAINERS

ATTRIBUTING = EXPLAINERS.names()
QUICK = ("--samples", 2, "--steps", 2, "--most-steps", 4, "--positions", 4, "--checked", 2)


@pytest.fixture(scope="session")
def _convolutional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convolutional")
    data, run = write_photos(folder / "photos"), folder / "run"
    assert run_command_line(["train", str(data), "--out", str(run), *TRAINING, "--model", "lenet5", "--image-size", "32x32"]) == 0
    return data, run


@pytest.fixture
def convolutional(_convolutional, tmp_path):
    """The data and the run of a network with feature maps; the run is a copy that may be spoilt."""
    data, run = _convolutional
    return data, shutil.copytree(run, tmp_path / "run")


def test_a_run_is_explained_by_some_of_its_own_test_pictures(tell, convolutional):
    _, run = convolutional
    before = hashes(run)
    told = tell("explain", run, "--json")
    assert told.exit_code == 0, told.err
    assert list(told.answer["methods"]) == ["grad_cam"]
    facts = told.answer["methods"]["grad_cam"]
    splits = [row.split(",") for row in (run / "splits.csv").read_text().splitlines()]
    tested = {row[0] for row in splits if "test" in row}
    assert {row["picture"] for row in facts["pictures"]} <= tested
    assert all(row["truth"] in ("cat", "dog") for row in facts["pictures"])
    files = ["explain.json", "grad_cam-deletion_curves.png", "grad_cam-insertion_curves.png", "grad_cam-maps.png"]
    assert sorted(told.answer["files"]) == [str(run / "explain" / name) for name in files]
    assert {name: value for name, value in hashes(run).items() if not name.startswith("explain/")} == before
    assert tell("evaluate", run).exit_code == 0  # the run is whole


def test_pictures_can_be_named_and_several_methods_compared(tell, convolutional, tmp_path):
    data, run = convolutional
    files = [data / "cat" / "0.png", data / "dog" / "3.png"]
    told = tell("explain", run, *files, "--method", "all", "--save", tmp_path / "out", "--arrays", "--html", "--cascade", 2, *QUICK)
    assert told.exit_code == 0, told.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "attributions-cascade.png",
        "attributions-deletion_curves.png",
        "attributions-insertion_curves.png",
        "attributions-maps.png",
        "attributions.npz",
        "explain.html",
        "explain.json",
    ]
    with np.load(tmp_path / "out" / "attributions.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted([*ATTRIBUTING, "pictures"])
        assert arrays["saliency"].shape == (2, 32, 32)
        assert arrays["pictures"].tolist() == ["0.png", "3.png"]
    for name in ATTRIBUTING:
        assert any(line.startswith(name) for line in told.out.splitlines())
    assert "checked on 2 pictures" in told.out
    assert f"written to {tmp_path / 'out'}: " in told.out
    with Image.open(tmp_path / "out" / "attributions-maps.png") as sheet:
        assert sheet.width > 8 * 224
    record = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert set(record["attributions"]["methods"]) == set(ATTRIBUTING)


def test_options_of_the_named_method_are_flags_and_others_are_not(tell, convolutional, refused, tmp_path):
    data, run = convolutional
    named = ("explain", run, data / "cat" / "0.png", "--checked", 0, "--save", tmp_path / "out")
    told = tell(*named, "--method", "occlusion", "--positions", 3, "--square", 8, "--json")
    assert told.answer["methods"]["occlusion"]["methods"]["occlusion"]["options"] == {"grey": 0.5, "positions": 3, "square": 8}
    told = tell(*named, "--method", "saliency", "--positions", 3)
    assert told.exit_code == 2
    assert "found '--positions'" in told.err
    refused(
        (*named, "--method", "occlusion", "--positions", "0"),
        2,
        "positions to be a whole number of at least 1",
        "0",
        "give positions a whole number of at least 1; the default is 20",
    )


def test_another_class_can_be_asked_about(tell, convolutional, refused, tmp_path):
    data, run = convolutional
    named = ("explain", run, data / "cat" / "0.png", "--method", "saliency", "--save", tmp_path / "out", "--checked", 0)
    assert tell(*named, "--class", "dog", "--json").answer["methods"]["saliency"]["about"] == "dog"
    refused((*named, "--class", "dig"), 2, "a class of lenet5", "'dig'", "did you mean dog?")


def test_the_help_lists_every_method_in_one_line(tell):
    told = tell("explain", "--help")
    for name in EXAMINATIONS:
        assert any(line.split()[0:1] == [name] and EXAMINATIONS[name].summary in line for line in told.out.splitlines())
    assert "--samples" not in told.out
    assert "--samples" in tell("explain", "--method", "smooth_grad", "--help").out


def test_a_network_made_on_the_spot_writes_where_it_is_told(tell, tmp_path):
    (tmp_path / "a.png").write_bytes(saved(picture(3, 32, 32)))
    model = ("explain", tmp_path / "a.png", "--model", "lenet5", "--method", "saliency", "--checked", 0)
    told = tell(*model, "--json")
    assert told.exit_code == 0, told.err
    assert told.answer["files"] == []
    assert told.answer["run"] is None
    assert "note: no pictures were written; name a folder with --save" in told.err
    assert tell(*model, "--save", tmp_path / "out", "--json").answer["files"] == [
        str(tmp_path / "out" / "saliency-maps.png"),
        str(tmp_path / "out" / "explain.json"),
    ]


MEANT = "these have a meaning here: "


def test_bad_input_is_refused_with_the_way_out(tell, convolutional, refused, tmp_path):
    data, run = convolutional
    refused(
        ("explain", run, "--method", "grad_cam", "--layer", "conv9"),
        2,
        "the name of a layer of lenet5",
        "'conv9'",
        tell("explain", run, "--layer", "conv9").err.splitlines()[-1].removeprefix("to do: "),
    )
    assert all(stage in tell("explain", run, "--layer", "conv9").err for stage in neocog.open_run(run).trained.model.stages)
    refused(("explain", run, "--method", "salience"), 2, "the name of a method of explaining", "'salience'", "did you mean saliency?")
    refused(("explain", run, tmp_path / "none.png"), 2, "a picture that exists", str(tmp_path / "none.png"), "check the path")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert tell("explain", run, tmp_path / "broken.png").exit_code == 3
    told = tell("explain", run, "--save", data.parent / "run")
    assert told.exit_code == 2
    assert "found " + str(data.parent / "run") + ", a run" in told.err
    told = tell("explain", "--model", "lenet5", "--save", tmp_path / "out")
    assert told.exit_code == 2
    assert "made on the spot" in told.err


def test_no_file_of_others_is_replaced(tell, convolutional, tmp_path):
    _, run = convolutional
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "explain.json").write_text("mine")
    told = tell("explain", run, "--save", tmp_path / "out")
    assert told.exit_code == 2
    assert "explain.json, which neocog explain did not write" in told.err
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_what_has_no_gradient_or_no_map_says_which_methods_still_work(tell, trained, refused, tmp_path):
    data, run = trained  # softmax regression: one layer, no stages
    told = tell("explain", run, "--json")
    assert list(told.answer["methods"]) == ["occlusion"]
    told = tell("explain", run, "--method", "grad_cam")
    assert told.exit_code == 2
    assert "expected a network with feature maps, for grad_cam" in told.err
    assert MEANT in told.err
    assert "grad_cam" not in told.err.partition(MEANT)[2]
    assert "saliency" in told.err.partition(MEANT)[2]
    perceptron = tmp_path / "perceptron"
    arguments = ["train", str(data), "--out", str(perceptron), "--model", "perceptron", "--epochs", "1", "--speed", "exact"]
    assert run_command_line(arguments) == 0
    told = tell("explain", perceptron, "--method", "saliency")
    assert told.exit_code == 2
    assert "expected a network that learns by gradient, for saliency" in told.err
    assert "found perceptron, which does not" in told.err
    assert "occlusion" in told.err.partition(MEANT)[2]
    assert list(tell("explain", perceptron, "--method", "all", "--json").answer["methods"]) == ["occlusion"]


def test_from_python(convolutional, tmp_path):
    data, run = convolutional
    network = neocog.open_run(run)
    found = network.explain(data / "cat" / "0.png", method=["saliency", "occlusion"], save=tmp_path, positions=4, checked=1, progress=False)
    assert set(found.found) == {"attributions"}
    assert found.found["attributions"].sheets[0].picture.shape[0] == 3
    with pytest.raises(neocog.NeocogError) as error:
        network.explain(method="saliency", sampels=3, progress=False)
    assert error.value.args == ("an option of saliency", "'sampels'", "choose one of of")
