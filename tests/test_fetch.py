"""Downloading from a local server that behaves, breaks, or lies."""

import gzip
import hashlib
import io
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from neocog import fetch as module
from neocog.errors import DataError, SurroundingsError
from neocog.fetch import FILES, Published, PublishedFile, fetch

CONTENT = bytes(range(256)) * 9000  # 2.3 MB
WRONG = b"x" * len(CONTENT)


class Server:
    """What the server is told to do, and what it was asked."""

    def __init__(self):
        self.files = {}
        self.ranges = True
        self.breaks = {}  # path -> after how many bytes of each answer, for how many answers
        self.asked = []
        self.status = {}
        self.length = True
        self.wrong_range = False

    def start(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def stop(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append((request.path, asked))
        if request.path in self.status or request.path not in self.files:
            request.send_error(self.status.get(request.path, 404))
            return
        content, start = self.files[request.path], 0
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            request.send_error(416)
            return
        request.send_response(206 if start else 200)
        if start:
            said = start + 1 if self.wrong_range else start
            request.send_header("Content-Range", f"bytes {said}-{len(content) - 1}/{len(content)}")
        if self.length:
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        body = content[start:]
        after, times = self.breaks.get(request.path, (0, 0))
        if times:
            self.breaks[request.path] = (after, times - 1)
            body = body[:after]
        request.wfile.write(body)


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    made.address = made.start()
    yield made
    made.stop()


def published(server, *mirrors, content=CONTENT, name="data.bin", unpacked=b"", brief=False):
    """What is offered, in brief by no size and the first digits of its hash."""
    digits, size = (sha(content)[:8], None) if brief else (sha(content), len(content))
    file = PublishedFile(name, size, digits, sha(unpacked) if unpacked else "")
    return Published("Thing/raw", (file,), tuple(f"{server.address}/{mirror}/" for mirror in mirrors))


def sha(content):
    return hashlib.sha256(content).hexdigest()


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


def test_what_has_no_address_can_only_be_put_in_place_by_hand(server, tmp_path):
    place = tmp_path / "Thing" / "raw" / "data.bin"
    with pytest.raises(SurroundingsError) as caught:
        fetch(published(server), tmp_path)
    assert str(caught.value) == (
        f"expected: an address of data.bin, {len(CONTENT):,} bytes, SHA-256 {sha(CONTENT)}\nfound: none is known\n"
        f"to do: put the file by hand at {place}"
    )
    assert not (tmp_path / "Thing").exists()
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert fetch(published(server), tmp_path) == place.parent


def test_a_file_put_by_hand_is_checked_and_kept(server, tmp_path):
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.bin").write_bytes(CONTENT)
    fetch(published(server, "a"), tmp_path)
    assert server.asked == []
    (home / "data.bin").write_bytes(WRONG)
    with pytest.raises(DataError) as caught:
        fetch(published(server, "a"), tmp_path)
    assert str(caught.value) == (
        f"expected: SHA-256 {sha(CONTENT)}\nfound: {sha(WRONG)} for {home / 'data.bin'}\nto do: take the file away, and fetch again"
    )
    assert (home / "data.bin").read_bytes() == WRONG


@pytest.mark.parametrize(("level", "content", "known"), [(9, CONTENT, True), (1, CONTENT, True), (9, WRONG, False)])
def test_a_gzip_file_packed_by_another_program_is_known_by_what_it_holds(server, tmp_path, level, content, known):
    offered = published(server, "a", content=gzip.compress(CONTENT, 6, mtime=0), name="data.gz", unpacked=CONTENT)
    home = tmp_path / "Thing" / "raw"
    home.mkdir(parents=True)
    (home / "data.gz").write_bytes(gzip.compress(content, level, mtime=7))
    if known:
        fetch(offered, tmp_path)
        return
    with pytest.raises(DataError, match="SHA-256"):
        fetch(offered, tmp_path)
    (home / "data.gz").write_bytes(b"no gzip file")
    with pytest.raises(DataError, match="SHA-256"):
        fetch(offered, tmp_path)


def packed(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def archive(server, content):
    file = PublishedFile("thing.tar.gz", len(content), sha(content))
    server.files["/a/thing.tar.gz"] = content
    return Published("batches", (file,), (f"{server.address}/a/",), ("one", "two"))


def test_an_archive_is_unpacked_beside_itself(server, tmp_path):
    offered = archive(server, packed({"batches/one": b"1", "batches/two": b"2"}))
    home = fetch(offered, tmp_path)
    assert home == tmp_path / "batches"
    assert {entry.name: entry.read_bytes() for entry in home.iterdir()} == {"one": b"1", "two": b"2"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["batches", "thing.tar.gz"]
    fetch(offered, tmp_path)
    assert len(server.asked) == 1


def test_an_archive_put_by_hand_is_unpacked(server, tmp_path):
    content = packed({"batches/one": b"1", "batches/two": b"2"})
    offered = archive(server, content)
    (tmp_path / "thing.tar.gz").write_bytes(content)
    assert (fetch(offered, tmp_path) / "two").read_bytes() == b"2"
    assert server.asked == []


def test_a_folder_that_lacks_files_is_said(server, tmp_path):
    offered = archive(server, packed({"batches/one": b"1"}))
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "one").write_bytes(b"1")
    with pytest.raises(DataError) as caught:
        fetch(offered, tmp_path)
    assert str(caught.value) == (
        f"expected: one, two in {tmp_path / 'batches'}\nfound: no two\nto do: take the folder away, and fetch again"
    )


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize("files", [{"../outside": b"x"}, {"batches/link": link("batches/link", "/etc/passwd")}])
def test_an_archive_that_reaches_outside_is_refused(server, tmp_path, files):
    inner = tmp_path / "inner"
    offered = archive(server, packed({"batches/one": b"1"} | files))
    with pytest.raises(DataError, match="an archive that has the folder batches"):
        fetch(offered, inner)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["inner"]
    assert sorted(entry.name for entry in inner.iterdir()) == ["thing.tar.gz"]


def test_an_archive_without_the_folder_is_refused(server, tmp_path):
    offered = archive(server, packed({"other/one": b"1"}))
    with pytest.raises(DataError) as caught:
        fetch(offered, tmp_path)
    assert str(caught.value) == (
        f"expected: an archive that has the folder batches\nfound: {tmp_path / 'thing.tar.gz'} has not\n"
        "to do: take the archive away, and fetch again"
    )


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


def test_the_published_table_is_whole():
    assert sorted(FILES) == ["cifar10", "cifar100", "fashion-mnist", "mnist"]
    for published in FILES.values():
        assert len(published.mirrors) >= 2
        assert all(mirror.startswith(("https://", "http://")) and mirror.endswith("/") for mirror in published.mirrors)
        for file in published.files:
            assert len(file.sha256) == 64
            assert file.size > 4000
            assert published.archive or len(file.content_sha256) == 64
    hashes = [file.sha256 for published in FILES.values() for file in published.files]
    assert len(set(hashes)) == len(hashes) == 10


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_files_put_by_hand_are_known(name, real_data):
    assert fetch(FILES[name], real_data, mirrors=[]) == real_data / FILES[name].folder
