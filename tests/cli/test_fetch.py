"""`neocog fetch`: the command around the downloader, against files that are here already or are sent from a folder."""

import functools
import hashlib
import http.server
import json
import threading

import pytest

from neocog.cli.frame import run_command_line
from neocog.fetch import Published, PublishedFile

CONTENT = b"pictures" * 1_000


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server with one published dataset, of two files."""
    files = []
    (tmp_path / "mirror").mkdir()
    for name in ("train.gz", "test.gz"):
        data = name.encode() + CONTENT
        (tmp_path / "mirror" / name).write_bytes(data)
        files.append(PublishedFile(name, len(data), hashlib.sha256(data).hexdigest()))
    monkeypatch.setattr("neocog.fetch.FILES", {"garments": Published("Garments/raw", tuple(files), ("http://127.0.0.1:9/",))})
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = functools.partial(Quiet, directory=tmp_path / "mirror")
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_files_arrive_in_the_data_folder(mirror, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    assert run_command_line(["fetch", "garments", "--mirrors", mirror, "--json"]) == 0
    written = capsys.readouterr()
    answer = json.loads(written.out)
    home = tmp_path / "data" / "Garments" / "raw"
    assert answer["dataset"] == "garments"
    assert answer["folder"] == str(home)
    assert {file["name"]: file["sha256"] for file in answer["files"]} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in home.iterdir()
    }
    assert f"train.gz: {len(CONTENT) + 8:,} in " in written.err
    assert f"test.gz: {len(CONTENT) + 7:,} in " in written.err


def test_people_read_where_it_is_and_what_to_try(mirror, tmp_path, capsys):
    assert run_command_line(["fetch", "garments", "--folder", str(tmp_path / "elsewhere"), "--mirrors", mirror + "/"]) == 0
    assert capsys.readouterr().out == f"garments is in {tmp_path / 'elsewhere' / 'Garments' / 'raw'}\nto try: neocog data garments\n"


def test_without_a_mirror_that_answers_the_file_is_named(mirror, tmp_path, capsys):
    assert run_command_line(["fetch", "garments", "--folder", str(tmp_path / "data")]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("neocog: expected http://127.0.0.1:9/train.gz, ")
    assert lines[2] == f"to do: try again later, or put the file by hand at {tmp_path / 'data' / 'Garments' / 'raw' / 'train.gz'}"


def test_an_unknown_name(capsys):
    assert run_command_line(["fetch", "minst"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "neocog: expected the name of a dataset that can be fetched",
        "found 'minst'",
        "to do: choose one of cifar10, cifar100, fashion-mnist, mnist",
    ]
