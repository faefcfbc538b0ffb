"""Archives, and what is in them."""

import io
import tarfile

import pytest

from fetching.server import sha
from neocog.errors import DataError
from neocog.fetch import Published, PublishedFile, fetch


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
