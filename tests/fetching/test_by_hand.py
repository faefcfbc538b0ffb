"""Files that a person puts in place by hand."""

import gzip

import pytest

from fetching.server import CONTENT, WRONG, published, sha
from neocog.errors import DataError, SurroundingsError
from neocog.fetch import FILES, fetch


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


def test_the_published_table_is_whole():
    assert sorted(FILES) == ["cifar10", "cifar100", "fashion-mnist", "mnist"]
    for offered in FILES.values():
        assert len(offered.mirrors) >= 2
        assert all(mirror.startswith(("https://", "http://")) and mirror.endswith("/") for mirror in offered.mirrors)
        for file in offered.files:
            assert len(file.sha256) == 64
            assert file.size > 4000
            assert offered.archive or len(file.content_sha256) == 64
    hashes = [file.sha256 for offered in FILES.values() for file in offered.files]
    assert len(set(hashes)) == len(hashes) == 10


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_files_put_by_hand_are_known(name, real_data):
    assert fetch(FILES[name], real_data, mirrors=[]) == real_data / FILES[name].folder
