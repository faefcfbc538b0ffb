"""`neocog doctor`: true facts, and advice where something is short."""

import http.server
import json
import platform
import shutil
import socket
import threading
from collections import namedtuple

import pytest
import torch

from neocog.cli import doctor
from neocog.cli.frame import run_command_line
from neocog.data.open import open_dataset
from neocog.data.registry import DATASETS
from neocog.errors import SurroundingsError
from neocog.fetch import Published

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """A data folder that is not there."""
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def examine(capsys, *arguments):
    assert run_command_line(["doctor", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_facts_are_true(no_data, capsys):
    found = examine(capsys)
    assert found["packages"]["torch"] == torch.__version__.split("+")[0]
    assert found["python"] == platform.python_version()
    assert len(found["machine"]["accelerators"]) == torch.cuda.device_count()
    assert found["folders"]["data"]["path"] == str(no_data)
    assert found["folders"]["data"]["exists"] is False
    assert found["folders"]["data"]["free"] > 0
    assert found["network"] is None
    assert not no_data.exists()


def test_every_named_dataset_is_looked_for(no_data, capsys):
    states = {one["name"]: one["state"] for one in examine(capsys)["datasets"]}
    assert list(states) == DATASETS.names()
    assert states["digits"] == "yes"
    assert states["mnist"] == "no"


def test_datasets_are_found_and_not_opened(no_data, capsys):
    folder = no_data / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte").write_bytes(b"nothing of the kind")
    states = {one["name"]: one["state"] for one in examine(capsys)["datasets"]}
    assert (states["mnist"], states["fashion-mnist"]) == ("yes", "no")


@pytest.mark.parametrize("name", [name for name in DATASETS if DATASETS[name].find is not None])
def test_what_is_not_found_cannot_be_opened(name, no_data):
    texts = []
    for look in (DATASETS[name].find, lambda: open_dataset(name)):
        with pytest.raises(SurroundingsError) as caught:
            look()
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_little_room_and_little_memory_are_said(no_data, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9, 10**6))
    monkeypatch.setattr("neocog.machine.available_memory", lambda: 10**6)
    assert examine(capsys)["advice"] == [
        "little room for the data folder: free some, or set NEOCOG_DATA to a folder on another disk",
        "little room for the cache folder: free some, or set NEOCOG_CACHE to a folder on another disk",
        "little memory available: close other programs, or choose small batches and images",
    ]


def test_people_read_the_same(no_data, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "LITTLE_MEMORY", 0)
    monkeypatch.setattr(doctor, "LITTLE_DISK", 0)
    assert run_command_line(["doctor"]) == 0
    out = capsys.readouterr().out
    for piece in (torch.__version__.split("+")[0], f"{no_data} (", "not there yet", "digits", "Everything needed is here."):
        assert piece in out


@pytest.fixture
def server():
    """A server on this machine that has nothing to show."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as one:
        one.RequestHandlerClass.log_message = lambda *arguments: None
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}/"
        one.shutdown()
        thread.join()


def test_the_network_is_tried_only_when_asked(no_data, server, capsys, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
        monkeypatch.setattr("neocog.fetch.FILES", {"mnist": Published("MNIST", (), (f"{server}some/folder/", nobody))})
        monkeypatch.setattr("neocog.models.published.all_published_weights", lambda: ())
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        found = examine(capsys, "--network")
    states = {one["server"]: one["state"] for one in found["network"]}
    assert set(states) == {server, nobody}
    assert states[server].startswith("yes, in ")
    assert states[nobody].startswith("no: ")
    assert "a server does not answer: everything but neocog fetch works without it" in found["advice"]


@pytest.mark.realdata
def test_published_files_are_found(real_data, capsys):
    states = {one["name"]: one["state"] for one in examine(capsys)["datasets"]}
    for name, folder in (("mnist", "MNIST"), ("cifar10", "cifar-10-batches-py")):
        assert (states[name] == "yes") == (real_data / folder).is_dir()
