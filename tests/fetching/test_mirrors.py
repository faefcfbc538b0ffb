"""Downloading from mirrors that behave, break, or lie."""

import shutil

import pytest

from fetching.server import CONTENT, WRONG, published, sha
from neocog import fetch as module
from neocog.errors import DataError, SurroundingsError
from neocog.fetch import Published, PublishedFile, fetch


def test_a_whole_download(server, tmp_path):
    server.files["/a/data.bin"] = CONTENT
    told = []
    home = fetch(published(server, "a"), tmp_path, progress=lambda *now: told.append(now))
    assert home == tmp_path / "Thing" / "raw"
    assert (home / "data.bin").read_bytes() == CONTENT
    assert told[-1] == ("data.bin", len(CONTENT), len(CONTENT))
    assert [entry.name for entry in home.iterdir()] == ["data.bin"]
    fetch(published(server, "a"), tmp_path)
    assert len(server.asked) == 1  # what is here is not asked for again


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_is_gone_on_with(server, tmp_path, ranges):
    server.files["/a/data.bin"] = CONTENT
    server.ranges = ranges
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.bin.part").write_bytes(CONTENT[:1000])
    fetch(published(server, "a"), tmp_path)
    assert (home / "data.bin").read_bytes() == CONTENT
    assert server.asked == [("/a/data.bin", "bytes=1000-")]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_connection_that_breaks_is_taken_up_again(server, tmp_path, ranges, length):
    server.files["/a/data.bin"] = CONTENT
    server.ranges, server.length = ranges, length
    server.breaks["/a/data.bin"] = (700_000, 2 if ranges else 1)
    fetch(published(server, "a"), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT
    assert server.asked[1] == ("/a/data.bin", "bytes=700000-")


def test_a_connection_that_always_breaks_is_followed_by_the_next_mirror(server, tmp_path):
    server.files["/a/data.bin"] = server.files["/b/data.bin"] = CONTENT
    server.breaks["/a/data.bin"] = (1000, 100)
    fetch(published(server, "a", "b"), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/b/data.bin", "bytes=4000-")


def test_a_mirror_with_other_bytes_is_followed_by_the_next(server, tmp_path):
    server.files["/a/data.bin"], server.files["/b/data.bin"] = WRONG, CONTENT
    fetch(published(server, "a", "b"), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/a/data.bin", "/b/data.bin"]
    assert server.asked[-1][1] is None  # nothing of the wrong bytes is kept


@pytest.mark.parametrize("other", [b"<html>please log in</html>", CONTENT + b"more"])
@pytest.mark.parametrize("length", [True, False])
def test_a_file_of_another_size_is_followed_by_the_next(server, tmp_path, other, length):
    server.files["/a/data.bin"], server.files["/b/data.bin"] = other, CONTENT
    server.length = length
    fetch(published(server, "a", "b"), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT


def test_wrong_bytes_of_a_broken_mirror_do_not_spoil_the_next(server, tmp_path):
    server.files["/a/data.bin"], server.files["/b/data.bin"] = WRONG, CONTENT
    server.breaks["/a/data.bin"] = (1000, 100)
    fetch(published(server, "a", "b"), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/b/data.bin", None)


@pytest.mark.parametrize("left", [WRONG[:1000], WRONG, CONTENT + b"more"])
def test_a_part_with_wrong_bytes_is_fetched_anew_from_the_same_mirror(server, tmp_path, left):
    server.files["/a/data.bin"] = CONTENT
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.bin.part").write_bytes(left)
    fetch(published(server, "a"), tmp_path)
    assert (home / "data.bin").read_bytes() == CONTENT


def test_another_range_than_asked_for_is_not_glued_on(server, tmp_path):
    server.files["/a/data.bin"] = server.files["/b/data.bin"] = CONTENT
    server.wrong_range = True
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.bin.part").write_bytes(CONTENT[:1000])
    with pytest.raises(SurroundingsError, match="another range than was asked for"):
        fetch(published(server, "a"), tmp_path)


def test_all_mirrors_fail(server, tmp_path):
    server.files["/b/data.bin"] = WRONG
    server.status["/c/data.bin"] = 503
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a", "b", "c"), tmp_path)
    assert str(caught.value) == (
        f"expected: {server.address}/a/data.bin, {len(CONTENT):,} bytes, SHA-256 {sha(CONTENT)}\n"
        f"found: no mirror gives it: {server.address}/a/: answers 404; {server.address}/b/: other bytes, SHA-256 {sha(WRONG)}; "
        f"{server.address}/c/: answers 503\n"
        f"to do: try again later, or put the file by hand at {tmp_path / 'Thing/raw/data.bin'}"
    )
    assert not (tmp_path / "Thing/raw/data.bin").exists()


def test_no_network(tmp_path):
    offered = Published("Thing/raw", (PublishedFile("data.bin", 3, sha(b"abc")),), ("http://127.0.0.1:9/",))
    with pytest.raises(SurroundingsError) as caught:
        fetch(offered, tmp_path)
    assert "no mirror gives it: http://127.0.0.1:9/: " in caught.value.found
    assert "refused" in caught.value.found
    with pytest.raises(SurroundingsError, match="not an address of http or https"):
        fetch(offered, tmp_path, mirrors=["file:///etc/"])


def test_other_mirrors_may_be_given(server, tmp_path):
    server.files["/mine/data.bin"] = CONTENT
    fetch(published(server, "a"), tmp_path, mirrors=[f"{server.address}/mine/"])
    assert [path for path, _ in server.asked] == ["/mine/data.bin"]


@pytest.mark.parametrize("length", [True, False])
def test_a_file_of_unknown_size_is_known_by_the_first_digits_of_its_hash(server, tmp_path, length):
    server.files["/a/data.bin"], server.length = CONTENT, length
    told = []
    home = fetch(published(server, "a", brief=True), tmp_path, progress=lambda *now: told.append(now))
    assert (home / "data.bin").read_bytes() == CONTENT
    assert told[-1] == ("data.bin", len(CONTENT), len(CONTENT) if length else None)
    fetch(published(server, "a", brief=True), tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_of_unknown_size_is_gone_on_with_after_a_break(server, tmp_path, ranges):
    server.files["/a/data.bin"], server.ranges = CONTENT, ranges
    server.breaks["/a/data.bin"] = (700_000, 1)
    fetch(published(server, "a", brief=True), tmp_path)
    assert (tmp_path / "Thing/raw/data.bin").read_bytes() == CONTENT
    assert server.asked[1] == ("/a/data.bin", "bytes=700000-")


def test_a_file_of_unknown_size_that_a_server_cuts_short_is_not_taken(server, tmp_path):
    server.files["/a/data.bin"] = CONTENT
    server.breaks["/a/data.bin"] = (1000, 100)
    with pytest.raises(SurroundingsError, match="a/: the connection broke after 4,000 bytes"):
        fetch(published(server, "a", brief=True), tmp_path)
    assert [entry.name for entry in (tmp_path / "Thing/raw").iterdir()] == ["data.bin.part"]  # to be gone on with


def test_without_any_word_on_its_size_the_hash_tells_that_a_file_was_cut_short(server, tmp_path):
    server.files["/a/data.bin"], server.length = CONTENT, False
    server.breaks["/a/data.bin"] = (1000, 100)
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a", brief=True), tmp_path)
    assert f"a/: other bytes, SHA-256 {sha(CONTENT[:1000])}" in caught.value.found
    assert list((tmp_path / "Thing/raw").iterdir()) == []


@pytest.mark.parametrize("left", [CONTENT, WRONG, CONTENT + b"more"])
def test_a_part_of_unknown_size_may_be_whole_already(server, tmp_path, left):
    """A server has no byte beyond it; what is whole is kept, and other bytes are fetched anew."""
    server.files["/a/data.bin"] = CONTENT
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.bin.part").write_bytes(left)
    fetch(published(server, "a", brief=True), tmp_path)
    assert (home / "data.bin").read_bytes() == CONTENT
    assert len(server.asked) == (1 if left == CONTENT else 2)


def test_a_wrong_file_of_unknown_size_is_told_with_the_digits_that_are_published(server, tmp_path):
    server.files["/a/data.bin"] = WRONG
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a", brief=True), tmp_path)
    assert str(caught.value) == (
        f"expected: {server.address}/a/data.bin, SHA-256 {sha(CONTENT)[:8]}…\n"
        f"found: no mirror gives it: {server.address}/a/: other bytes, SHA-256 {sha(WRONG)}\n"
        f"to do: try again later, or put the file by hand at {tmp_path / 'Thing/raw/data.bin'}"
    )
    (tmp_path / "Thing/raw/data.bin").write_bytes(WRONG)
    with pytest.raises(DataError) as caught:
        fetch(published(server, "a", brief=True), tmp_path)
    assert caught.value.expected == f"SHA-256 {sha(CONTENT)[:8]}…"


def test_a_disk_without_room(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a"), tmp_path)
    assert str(caught.value) == (
        f"expected: {len(CONTENT):,} bytes for data.bin\nfound: 10 free in {tmp_path / 'Thing/raw'}\nto do: free some space"
    )
    assert server.asked == []


def test_a_disk_without_room_for_what_the_server_announces(server, tmp_path, monkeypatch):
    server.files["/a/data.bin"] = CONTENT
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a", brief=True), tmp_path)
    assert caught.value.expected == f"{len(CONTENT):,} bytes for data.bin"
    assert list((tmp_path / "Thing/raw").iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_no_mirrors_fault(server, tmp_path, monkeypatch):
    server.files["/a/data.bin"] = CONTENT

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_copy", full)
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server, "a", "b"), tmp_path)
    assert str(caught.value) == (
        f"expected: a folder to write in: {tmp_path}\nfound: No space left on device\nto do: free some space, or allow writing"
    )
