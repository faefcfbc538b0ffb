"""`neocog fetch`: the command around the downloader, against files that are here already or are sent from a folder."""

import functools
import hashlib
import http.server
import json
import threading

import pytest
import torch

from cli.folders import hashes, picture, saved
from neocog.cli.frame import run_command_line
from neocog.fetch import Published, PublishedFile
from neocog.models import create_model
from neocog.models.published import CIFAR10, PublishedWeights

CONTENT = b"pictures" * 1_000
NOBODY = "http://127.0.0.1:9/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What a server of files has; the data folder is another, which is not there yet."""
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    return tmp_path / "mirror"


@pytest.fixture
def mirror(folder):
    """The address of that server."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def garments(folder, monkeypatch):
    """A published dataset of two files."""
    files = []
    for name in ("train.gz", "test.gz"):
        data = name.encode() + CONTENT
        (folder / name).write_bytes(data)
        files.append(PublishedFile(name, len(data), hashlib.sha256(data).hexdigest()))
    monkeypatch.setattr("neocog.fetch.FILES", {"garments": Published("Garments/raw", tuple(files), (NOBODY,))})


@pytest.fixture
def weights(folder, monkeypatch):
    """Two published files of weights of one architecture; the second has no address."""
    torch.manual_seed(0)
    rows = []
    for name, url in (("cifar10", f"{NOBODY}small.pth"), ("cifar10_mine", "")):
        file = folder / ("small.pth" if url else "mine.pth")
        model = create_model("resnet20")
        torch.save(model.state_dict(), file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        common = {"model": "resnet20", "licence": "MIT", "trained_on": "CIFAR-10", "preprocess": model.preprocess, "source": ""}
        common |= {"size": None, "top1": None, "top5": None, "sha256": digest[:8]}
        rows.append(PublishedWeights(name=name, file=f"nets/{file.name}", url=url, **common))
    monkeypatch.setattr("neocog.models.published.all_published_weights", lambda: tuple(rows))
    return rows


def test_files_arrive_in_the_data_folder(garments, mirror, tmp_path, capsys):
    assert run_command_line(["fetch", "garments", "--mirrors", mirror, "--json"]) == 0
    written = capsys.readouterr()
    answer = json.loads(written.out)
    home = tmp_path / "data" / "Garments" / "raw"
    assert answer["dataset"] == "garments"
    assert answer["folder"] == str(home)
    assert {file["name"]: file["sha256"] for file in answer["files"]} == hashes(home)
    assert f"train.gz: {len(CONTENT) + 8:,} in " in written.err
    assert f"test.gz: {len(CONTENT) + 7:,} in " in written.err


def test_people_read_where_it_is_and_what_to_try(garments, mirror, tmp_path, capsys):
    assert run_command_line(["fetch", "garments", "--folder", str(tmp_path / "elsewhere"), "--mirrors", mirror + "/"]) == 0
    assert capsys.readouterr().out == f"garments is in {tmp_path / 'elsewhere' / 'Garments' / 'raw'}\nto try: neocog data garments\n"


def test_without_a_mirror_that_answers_the_file_is_named(garments, tmp_path, capsys):
    assert run_command_line(["fetch", "garments", "--folder", str(tmp_path / "data")]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("neocog: expected http://127.0.0.1:9/train.gz, ")
    assert lines[2] == f"to do: try again later, or put the file by hand at {tmp_path / 'data' / 'Garments' / 'raw' / 'train.gz'}"


def test_weights_arrive_and_then_nothing_needs_the_network(weights, mirror, folder, tmp_path, tell, monkeypatch):
    answer = tell("fetch", "resnet20", "--mirrors", mirror, "--json").answer
    place = tmp_path / "data" / "weights" / "nets" / "small.pth"
    assert place.read_bytes() == (folder / "small.pth").read_bytes()
    assert answer == {
        "model": "resnet20",
        "weights": "cifar10",
        "folder": str(place.parent),
        "files": [{"name": "small.pth", "bytes": place.stat().st_size, "sha256": weights[0].sha256}],
        "terms": "MIT; trained on CIFAR-10, which states none",
        "found_by_name": True,
    }
    assert [path.name for path in place.parent.iterdir()] == ["small.pth"]
    monkeypatch.setattr("urllib.request.urlopen", None)  # it would fail if it were called
    assert tell("fetch", "resnet20").exit_code == 0
    model = create_model("resnet20", weights="cifar10")
    assert all(torch.equal(value, torch.load(place)[key]) for key, value in model.state_dict().items())
    (tmp_path / "a.png").write_bytes(saved(picture(0, 32, 32)))
    told = tell("predict", "--model", "resnet20", "--weights", "cifar10", tmp_path / "a.png", "--json")
    assert told.answer["predictions"][0]["prediction"] in CIFAR10


def test_people_read_where_weights_are_and_on_what_terms(weights, mirror, tmp_path, tell):
    place = tmp_path / "data" / "weights" / "nets" / "small.pth"
    assert tell("fetch", "resnet20", "--weights", "cifar10", "--mirrors", mirror).out.splitlines() == [
        f"the weights cifar10 of resnet20 are in {place}",
        "terms: MIT; trained on CIFAR-10, which states none",
        "to try: neocog predict --model resnet20 --weights cifar10 PICTURE",
    ]
    elsewhere = tmp_path / "elsewhere"
    place = elsewhere / "weights" / "nets" / "small.pth"
    told = tell("fetch", "resnet20", "--folder", elsewhere, "--mirrors", mirror)
    assert told.out.splitlines()[-1] == f"to try: neocog predict --model resnet20 --weights {place} PICTURE"


def test_an_interrupted_download_of_weights_goes_on(weights, mirror, folder, tmp_path, tell):
    place = tmp_path / "data" / "weights" / "nets" / "small.pth"
    place.parent.mkdir(parents=True)
    whole = (folder / "small.pth").read_bytes()
    place.with_name("small.pth.part").write_bytes(whole[:5000])
    assert tell("fetch", "resnet20", "--mirrors", mirror).exit_code == 0
    assert hashes(place.parent) == {"small.pth": hashlib.sha256(whole).hexdigest()}


@pytest.mark.parametrize("content", [b"<html>please log in</html>", None])
def test_other_bytes_than_the_published_weights_are_not_kept(weights, content, mirror, folder, tmp_path, tell):
    file = folder / "small.pth"
    file.write_bytes(file.read_bytes()[:5000] if content is None else content)
    told = tell("fetch", "resnet20", "--mirrors", mirror)
    place = tmp_path / "data" / "weights" / "nets" / "small.pth"
    assert told.exit_code == 4
    assert told.err.splitlines()[-3:] == [
        f"neocog: expected {mirror}/small.pth, SHA-256 {weights[0].sha256}…",
        f"found no mirror gives it: {mirror}/: other bytes, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}",
        f"to do: try again later, or put the file by hand at {place}",
    ]
    assert list(place.parent.iterdir()) == []


def test_without_network_weights_are_told_with_address_hash_and_place(weights, tmp_path, tell):
    told = tell("fetch", "resnet20")
    assert told.exit_code == 4
    expected, found, remedy = told.err.splitlines()
    assert expected == f"neocog: expected {NOBODY}small.pth, SHA-256 {weights[0].sha256}…"
    assert found.startswith(f"found no mirror gives it: {NOBODY}: ")
    assert remedy == f"to do: try again later, or put the file by hand at {tmp_path / 'data' / 'weights' / 'nets' / 'small.pth'}"


def test_weights_without_an_address_are_put_in_place_by_hand(weights, folder, tmp_path, tell):
    place = tmp_path / "data" / "weights" / "nets" / "mine.pth"
    told = tell("fetch", "resnet20", "--weights", "cifar10_mine")
    assert told.exit_code == 4
    assert told.err.splitlines() == [
        f"neocog: expected an address of mine.pth, SHA-256 {weights[1].sha256}…",
        "found none is known",
        f"to do: put the file by hand at {place}",
    ]
    place.parent.mkdir(parents=True)
    place.write_bytes((folder / "mine.pth").read_bytes())
    assert tell("fetch", "resnet20", "--weights", "cifar10_mine").exit_code == 0
    place.write_bytes(b"another")
    told = tell("fetch", "resnet20", "--weights", "cifar10_mine")
    assert told.exit_code == 3
    assert told.err.splitlines()[-1] == "to do: take the file away, and fetch again"
    assert place.read_bytes() == b"another"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["minst"],
            [
                "expected the name of a dataset, or of an architecture with published weights",
                "found 'minst'",
                "to do: did you mean mnist?",
            ],
        ),
        (
            ["resnt18"],
            [
                "expected the name of a dataset, or of an architecture with published weights",
                "found 'resnt18'",
                "to do: did you mean resnet18 or resnet152 or resnet110?",
            ],
        ),
        (
            ["lenet5"],
            [
                "expected an architecture with published weights",
                "found lenet5, which has none",
                "to do: train it: neocog train DATA --model lenet5",
            ],
        ),
        (
            ["resnet50", "--weights", "imagenet2"],
            ["expected the name of published weights of resnet50", "found 'imagenet2'", "to do: did you mean imagenet or imagenet_v2?"],
        ),
        (
            ["mnist", "--weights", "imagenet"],
            ["expected an architecture beside --weights", "found mnist, a dataset", "to do: leave --weights away, or name an architecture"],
        ),
    ],
)
def test_what_is_refused(words, lines, tell):
    told = tell("fetch", *words)
    assert told.exit_code == 2
    assert told.err.splitlines() == ["neocog: " + lines[0], *lines[1:]]
    assert told.out == ""
