"""Networks and weights that are no good, or not what was meant: each has a named answer, and nothing is left half-written."""

import hashlib
import json
import os
import pickle
from dataclasses import replace

import pytest
import torch

from cli.folders import TRAINING, hashes, picture, saved
from neocog.cli.frame import run_command_line
from neocog.models import MODELS, create_model
from neocog.models.published import PublishedWeights
from neocog.registry import closest
from neocog.training import loop

FINE_TUNING = ("--model", "resnet20", "--weights", "cifar10", "--epochs", "2", "--batch-size", "8", "--speed", "exact")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A data folder with published weights of resnet20 by the name cifar10."""
    place = tmp_path / "data" / "weights" / "small.pth"
    place.parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(create_model("resnet20").state_dict(), place)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    facts = {"licence": "MIT", "trained_on": "CIFAR-10", "preprocess": MODELS["resnet20"].preprocess, "source": ""}
    facts |= {"size": None, "top1": None, "top5": None, "sha256": digest[:8], "url": "https://example.org/small.pth"}
    row = PublishedWeights(model="resnet20", name="cifar10", file="small.pth", **facts)
    monkeypatch.setattr("neocog.models.published.all_published_weights", lambda: (row, replace(row, model="resnet32")))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture
def refused_everywhere(refused, photos, tmp_path):
    """What must be refused by every command that takes weights; the pictures stay, and no run begins."""

    def call(model, weights, *lines):
        data, network = photos(), ("--model", model, *(("--weights", weights) if weights else ()))
        before = hashes(tmp_path)
        refused(["predict", *network, data / "cat" / "0.png"], *lines)
        refused(["evaluate", *network, data], *lines)
        refused(["train", data, *network, "--epochs", "1", "--speed", "exact", "--out", tmp_path / "run"], *lines)
        assert hashes(tmp_path) == before
        assert not (tmp_path / "run").exists()

    return call


class Harmful:
    """A pickle that would make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_not_run(zipped, refused, photos, tmp_path):
    weights, proof, data = tmp_path / "weights.pth", tmp_path / "proof", photos()
    state = {"layer.weight": torch.zeros(2), "more": Harmful(str(proof))}
    if zipped:
        torch.save(state, weights)
    else:
        weights.write_bytes(pickle.dumps(Harmful(str(proof))))
    before = hashes(tmp_path)
    lines = (
        *(3, "a file of tensors", f"{weights}, a pickle that would run {os.mkdir.__module__}.mkdir"),
        "do not load it; ask for a safetensors file, or for the state_dict() alone",
    )
    refused(["predict", "--model", "lenet5", "--weights", weights, data], *lines)
    refused(["train", data, "--weights", weights, *TRAINING, "--out", tmp_path / "run"], *lines)
    assert not proof.exists()
    assert {path: digest for path, digest in hashes(tmp_path).items() if not path.startswith("run")} == before


def test_weights_of_another_architecture(refused, photos, tmp_path):
    weights, data = tmp_path / "resnet20.pth", photos()
    torch.save(create_model("resnet20").state_dict(), weights)
    before = hashes(tmp_path)
    ours, theirs = _body("lenet5"), _body("resnet20")
    shared = f"{len(ours & theirs)} of {len(ours | theirs)} keys are shared"
    lines = (
        *(3, "weights of lenet5", f"{weights}, another architecture's weights ({shared})"),
        "name the file's architecture, or give another file",
    )
    refused(["predict", "--model", "lenet5", "--weights", weights, data], *lines)
    refused(["evaluate", "--model", "lenet5", "--weights", weights, data], *lines)
    assert hashes(tmp_path) == before


def _body(name):
    """The keys of a network without its last layer's."""
    model = create_model(name)
    return {key for key in model.state_dict() if not key.startswith(f"{model.output_layers[0]}.") and "num_batches" not in key}


def test_weights_cut_short(tell, photos, tmp_path):
    weights = tmp_path / "lenet5.pth"
    torch.save(create_model("lenet5").state_dict(), weights)
    weights.write_bytes(weights.read_bytes()[:5000])
    told = tell("predict", "--model", "lenet5", "--weights", weights, photos())
    assert told.exit_code == 3
    expected, found, remedy = told.err.splitlines()
    assert expected == "neocog: expected a whole file of weights"
    assert found.startswith(f"found {weights}, damaged or cut short (")
    assert remedy == "to do: copy or fetch the file again"


def test_an_unknown_architecture(refused_everywhere):
    refused_everywhere("resnt20", None, 2, "the name of an architecture", "'resnt20'", closest("resnt20", MODELS.names()))


def test_weights_of_an_unknown_name(refused_everywhere, published):
    lines = (2, "the name of published weights of resnet20 (cifar10), or a file of weights", "'cifar', no file and no such name")
    refused_everywhere("resnet20", "cifar", *lines, "did you mean cifar10?")


def test_a_name_for_an_architecture_without_published_weights(refused_everywhere, published):
    lines = (2, "a file of weights", "'imagenet', no file, and none are published for lenet5")
    refused_everywhere("lenet5", "imagenet", *lines, "give the path of a safetensors file or a state dict")


def test_a_file_of_weights_that_is_not_there(refused_everywhere, tmp_path):
    lines = (3, "a file of weights", f"{tmp_path / 'none.pth'}: No such file or directory")
    refused_everywhere("resnet20", tmp_path / "none.pth", *lines, "give the path of a safetensors file or a state dict")


def test_published_weights_that_are_not_here(refused_everywhere, published):
    digits = hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    published.unlink()
    lines = (4, f"the weights cifar10 of resnet20: small.pth, SHA-256 {digits}…", f"no {published}")
    refused_everywhere("resnet20", "cifar10", *lines, "neocog fetch resnet20, or put https://example.org/small.pth there by hand")


@pytest.mark.parametrize("spoil", [lambda content: content[:5000], lambda content: content + b"more"])
def test_published_weights_with_other_bytes(spoil, refused_everywhere, published):
    digits = hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    published.write_bytes(spoil(published.read_bytes()))
    found = f"{published} with SHA-256 {hashlib.sha256(published.read_bytes()).hexdigest()}"
    lines = (3, f"small.pth as it was published, SHA-256 {digits}…", found)
    refused_everywhere("resnet20", "cifar10", *lines, "take the file away, and fetch it again")


def test_published_weights_of_another_architecture(refused_everywhere, published):
    """The table itself would be wrong; the file's own keys tell."""
    ours, theirs = (set(_body(name)) for name in ("resnet32", "resnet20"))
    shared = f"{len(ours & theirs)} of {len(ours | theirs)} keys are shared"
    lines = (3, "weights of resnet32", f"{published}, another architecture's weights ({shared})")
    refused_everywhere("resnet32", "cifar10", *lines, "name the file's architecture, or give another file")


def test_images_that_are_too_small_for_the_network(refused, photos, tmp_path):
    lines = (2, "images of at least 32x32 pixels for mobilenet_v2", "8x8", "choose a larger image size, or another architecture")
    network = ("--image-size", "8x8", "--model", "mobilenet_v2")
    refused(["train", photos(), *network, "--epochs", "1", "--speed", "exact", "--out", tmp_path / "run"], *lines)
    assert not (tmp_path / "run").exists()
    refused(["model", "mobilenet_v2", "--image-size", "8x8"], *lines)


def test_a_number_of_channels_that_no_network_takes(refused):
    refused(["model", "resnet20", "--in-channels", "2"], 2, "images of 1, 3, 4 channels for resnet20", "2", "convert the images")


def test_a_grey_picture_is_shown_to_a_network_for_colour_as_the_same_in_every_channel(tell, published, tmp_path):
    grey = picture(0, 32, 32).convert("L")
    for name, image in (("grey.png", grey), ("colour.png", grey.convert("RGB"))):
        (tmp_path / name).write_bytes(saved(image))
    told = tell("predict", "--model", "resnet20", "--weights", "cifar10", tmp_path / "grey.png", tmp_path / "colour.png", "--json")
    grey_answer, answer = ({**one, "picture": ""} for one in told.answer["predictions"])
    assert grey_answer == answer


def test_grey_pictures_and_weights_for_colour_are_trained_with_one_channel(tell, published, tmp_path):
    for name, first in (("cat", 0), ("dog", 100)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            (tmp_path / "photos" / name / f"{number}.png").write_bytes(saved(picture(first + number).convert("L")))
    told = tell("train", tmp_path / "photos", *FINE_TUNING, "--out", tmp_path / "run", "--json")
    assert told.exit_code == 0, told.err
    assert "first layer adapted from 3 to 1 channels" in told.err.splitlines()


def test_a_training_from_published_weights_says_which_and_resumes_without_them(tell, published, photos, tmp_path, monkeypatch):
    step, run, data = loop.train_step, tmp_path / "run", photos()

    def interrupted(job, rows, batch_of):
        if job.state.step == 3:
            raise KeyboardInterrupt
        return step(job, rows, batch_of)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", interrupted)
        assert tell("train", data, *FINE_TUNING, "--out", run).exit_code == 130
    assert 'weights = "cifar10"' in (run / "recipe.toml").read_text()
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    published.unlink()
    told = tell("resume", run)
    assert told.exit_code == 0, told.err
    terms = "MIT; trained on CIFAR-10, which states none"
    facts = {"given": "cifar10", "file": str(published), "sha256": digest, "terms": terms}
    assert json.loads((run / "manifest.json").read_text())["weights"] == facts


def test_a_training_from_a_file_says_which_and_one_from_random_weights_none(published, photos, tmp_path):
    data, facts = photos(), {}
    for name, weights in (("file", ("--weights", "data/weights/small.pth")), ("none", ())):
        command = ["train", data, "--model", "resnet20", *weights, "--epochs", "1", "--speed", "exact", "--out", tmp_path / name]
        assert run_command_line([str(word) for word in command]) == 0
        facts[name] = json.loads((tmp_path / name / "manifest.json").read_text())["weights"]
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert facts == {"file": {"given": str(published), "file": str(published), "sha256": digest, "terms": None}, "none": None}
