"""Gathering in memory and on disk."""

import os
import shutil
import time

import numpy as np
import pytest
import torch

from neocog.data import cache, survey
from neocog.data.open import open_dataset
from neocog.data.pixels import gather
from neocog.errors import DataError, PictureError, SurroundingsError
from neocog.images import cover, to_channels


@pytest.fixture
def cached(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


@pytest.fixture
def decoded(monkeypatch):
    """Counts how many files are decoded."""
    calls = []
    real = survey.read

    def read(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(survey, "read", read)
    return calls


def same(one, other):
    return (
        torch.equal(one.pixels, other.pixels)
        and torch.equal(one.sizes, other.sizes)
        and one.digests == other.digests
        and one.faults == other.faults
        and one.notes == other.notes
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_rows_are_the_pictures_at_the_canvas(two_classes, channels, keep, cached):
    dataset = open_dataset(two_classes)
    gathered = gather(dataset, canvas=(16, 16), channels=channels, keep=keep)
    for index in range(len(dataset)):
        expected = cover(to_channels(dataset.picture(index), channels), (16, 16))
        assert torch.equal(gathered.pixels[index], expected)
        assert gathered.digests[index] == dataset.digest(index)
    assert gathered.sizes.tolist() == [[20, 24]] * 20
    assert gathered.canvas == (16, 16)
    assert gathered.faults == []


def test_large_photos_are_decoded_small_and_still_cover(folder):
    import io

    from PIL import Image

    file = io.BytesIO()
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((800, 600), Image.Resampling.BICUBIC)
    image.save(file, "JPEG", quality=90)
    dataset = open_dataset(folder({"a/1.jpg": file.getvalue(), "b/1.png": 1}))
    row = gather(dataset, canvas=(64, 64), channels=3).pixels[0]
    full = cover(dataset.picture(0), (64, 64))
    assert (row.int() - full.int()).abs().float().mean() < 2


@pytest.mark.parametrize(("canvas", "channels"), [((8, 8), 1), ((8, 8), 3), ((12, 10), 1), ((12, 10), 3)])
def test_arrays_are_gathered_as_pictures_are(canvas, channels):
    dataset = open_dataset("digits")
    gathered = gather(dataset, canvas=canvas, channels=channels)
    for index in (0, 700, 1796):
        assert torch.equal(gathered.pixels[index], cover(to_channels(dataset.picture(index), channels), canvas))
    assert gathered.digests[5] == dataset.digest(5)
    assert tuple(gathered.sizes.shape) == (1797, 2)


def test_colour_arrays_become_grey():
    from neocog.data.arrays import ArrayDataset

    pixels = torch.randint(0, 256, (1500, 3, 4, 5), dtype=torch.uint8)
    dataset = ArrayDataset("x", pixels, torch.zeros(1500, dtype=torch.int64), ("a",), mirrored=True, licence="")
    gathered = gather(dataset, canvas=(4, 5), channels=1)
    assert all(torch.equal(gathered.pixels[i], to_channels(pixels[i], 1)) for i in (0, 1100, 1499))


@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_arrays_at_the_canvas_are_not_copied(keep, cached):
    dataset = open_dataset("digits")
    for channels in (1, 3):
        assert gather(dataset, canvas=(8, 8), channels=channels, keep=keep).pixels.data_ptr() == dataset.pixels.data_ptr()
    assert not cached.exists()


def test_large_arrays_go_to_disk_by_themselves(cached, monkeypatch):
    dataset = open_dataset("digits")
    expected = gather(dataset, canvas=(12, 10), channels=3, keep="memory")
    monkeypatch.setattr("neocog.data.pixels.available_memory", lambda: 4 * 1797 * 12 * 10 - 4)
    first = gather(dataset, canvas=(12, 10), channels=3)
    assert sorted(path.stat().st_size for path in cached.glob("*.u8")) == [1797 * 12 * 10]  # grey is kept once
    assert same(first, expected)
    assert same(gather(dataset, canvas=(12, 10), channels=3), expected)


@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_the_filter_is_the_one_asked_for(two_classes, keep, cached):
    dataset = open_dataset(two_classes)
    for interpolation in ("bilinear", "bicubic", "nearest"):
        gathered = gather(dataset, canvas=(16, 16), channels=3, keep=keep, interpolation=interpolation)
        assert torch.equal(gathered.pixels[3], cover(dataset.picture(3), (16, 16), interpolation))


def test_faulty_rows_are_black_and_named(folder):
    root = folder({"a/1.png": 1, "a/2.png": b"", "b/1.png": 2})
    gathered = gather(open_dataset(root), canvas=(8, 8), channels=3)
    assert [fault.where for fault in gathered.faults] == ["a/2.png"]
    assert (gathered.pixels[1] == 0).all()
    assert gathered.sizes[1].tolist() == [0, 0]


@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_too_many_faults_stop_unless_allowed(folder, keep, cached):
    root = folder({f"a/{n}.png": n for n in range(20)} | {f"a/bad{n}.png": b"" for n in range(10)} | {"b/1.png": 99})
    dataset = open_dataset(root)
    for _ in range(2):  # also when the pass is remembered
        with pytest.raises(DataError, match="at most 1% of the pictures unreadable"):
            gather(dataset, canvas=(8, 8), channels=3, keep=keep)
    assert len(gather(dataset, canvas=(8, 8), channels=3, keep=keep, allow_bad=True).faults) == 10


def test_the_second_time_nothing_is_decoded(two_classes, cached, decoded):
    (two_classes / "cat" / "bad.png").write_bytes(b"")
    first = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert len(decoded) == 21
    second = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert len(decoded) == 21
    assert same(first, second)
    assert second.faults[0].where == "cat/bad.png"
    assert same(second, gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="memory"))
    assert sorted(path.suffix for path in cached.iterdir()) == [".key", ".safetensors", ".u8"]


def test_a_moved_or_touched_folder_is_known_by_its_content(two_classes, cached, decoded):
    first = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    moved = two_classes.rename(two_classes.parent / "moved")
    os.utime(moved / "cat" / "3.png", (1, 1))
    assert same(first, gather(open_dataset(moved), canvas=(16, 16), channels=3, keep="disk"))
    assert len(decoded) == 20
    assert same(first, gather(open_dataset(moved), canvas=(16, 16), channels=3, keep="disk"))


@pytest.mark.parametrize("what", ["content", "name", "canvas", "channels"])
def test_whatever_changes_pixels_is_decoded_anew(two_classes, cached, decoded, what):
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    canvas, channels = ((16, 12) if what == "canvas" else (16, 16)), (1 if what == "channels" else 3)
    if what == "content":
        (two_classes / "cat" / "3.png").write_bytes((two_classes / "dog" / "3.png").read_bytes())
    if what == "name":
        (two_classes / "cat" / "3.png").rename(two_classes / "cat" / "33.png")
    second = gather(open_dataset(two_classes), canvas=canvas, channels=channels, keep="disk")
    assert len(decoded) == 40
    assert same(second, gather(open_dataset(two_classes), canvas=canvas, channels=channels, keep="memory"))


def test_a_change_that_keeps_size_and_time_is_noticed(two_classes, cached, decoded):
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    path = two_classes / "cat" / "3.png"
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [fault.where for fault in gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk").faults] == ["cat/3.png"]


def test_a_file_that_could_not_be_read_is_tried_again(two_classes, cached, monkeypatch):
    def read_file(path):
        if path.name == "3.png":
            raise PictureError("a readable picture file", "a file that cannot be read (Input/output error)", "try again", "unreadable")
        return path.read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr("neocog.data.files.read_file", read_file)
        first = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert [fault.where for fault in first.faults] == ["cat/3.png", "dog/3.png"]
    assert gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk").faults == []


def test_the_state_of_each_file_is_asked_for_once(two_classes, cached, monkeypatch):
    dataset, asked, real = open_dataset(two_classes), [], os.stat
    assert dataset.channels == 3  # told from a sample, which is looked at once

    def stat(path, **options):
        asked.append(str(path))
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    cache.PixelCache(dataset, (16, 16), 3)
    assert sorted(asked.count(str(dataset.path(index))) for index in range(20)) == [1] * 20


@pytest.mark.parametrize("damage", ["cut", "altered", "index", "index gone", "pixels gone", "key"])
def test_a_damaged_cache_is_made_anew(two_classes, cached, decoded, damage):
    first = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    expected = first.pixels.clone()
    pixels, index, key = (next(cached.glob(f"*{suffix}")) for suffix in (".u8", ".safetensors", ".key"))
    del first
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "altered":
        content = bytearray(pixels.read_bytes())
        content[5000] ^= 1
        pixels.write_bytes(bytes(content))
    elif damage == "index":
        index.write_bytes(index.read_bytes()[:100])
    elif damage == "key":
        key.write_text("nonsense")
    else:
        (index if damage == "index gone" else pixels).unlink()
    second = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert torch.equal(second.pixels, expected)
    assert len(decoded) == (20 if damage == "key" else 40)


def test_writing_to_mapped_pixels_leaves_the_cache_alone(two_classes, cached):
    first = gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    before = first.pixels.clone()
    first.pixels.zero_()
    assert torch.equal(gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk").pixels, before)


def test_an_interrupted_pass_leaves_nothing(two_classes, cached):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk", progress=stop)
    assert list(cached.iterdir()) == []


def test_what_a_killed_process_left_is_swept_after_a_day(two_classes, cached):
    cached.mkdir(parents=True)
    old, new = cached / ".old.u8.part", cached / ".new.u8.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert not old.exists()
    assert new.exists()


def test_much_goes_to_disk_by_itself(two_classes, cached, monkeypatch):
    monkeypatch.setattr("neocog.data.pixels.available_memory", lambda: 4 * 20 * 3 * 16 * 16)
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3)
    assert not cached.exists()
    monkeypatch.setattr("neocog.data.pixels.available_memory", lambda: 4 * 20 * 3 * 16 * 16 - 4)
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3)
    assert cached.exists()


def test_a_full_disk_is_named(two_classes, cached, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage._replace(free=1024))
    with pytest.raises(SurroundingsError) as caught:
        gather(open_dataset(two_classes), canvas=(64, 64), channels=3, keep="disk")
    assert str(caught.value) == (
        f"expected: 0.0 GiB for decoded pictures\nfound: 0.0 GiB free in {cached}\n"
        "to do: free some space, set NEOCOG_CACHE to a folder on another disk, or choose a smaller image size"
    )


def test_a_disk_that_fills_up_meanwhile_is_named(two_classes, cached, monkeypatch):
    def full(file, row_bytes, checksums):
        def write(index, row):
            raise OSError(28, "No space left on device")

        return write

    monkeypatch.setattr(cache, "_writer", full)
    with pytest.raises(SurroundingsError) as caught:
        gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert caught.value.expected == "room for decoded pictures"
    assert caught.value.found == f"{cached}: No space left on device"
    assert list(cached.iterdir()) == []


def test_drawn_pictures_are_cached_too(cached):
    first = gather(open_dataset("shapes", count=10), canvas=(32, 32), channels=3, keep="disk")
    assert same(first, gather(open_dataset("shapes", count=10), canvas=(32, 32), channels=3, keep="disk"))
    assert same(first, gather(open_dataset("shapes", count=10), canvas=(32, 32), channels=3, keep="memory"))


def test_no_user_file_is_altered(two_classes, cached):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in two_classes.rglob("*.png")}
    gather(open_dataset(two_classes), canvas=(16, 16), channels=3, keep="disk")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in two_classes.rglob("*.png")} == before


@pytest.mark.realdata
def test_photos(real_data):
    dataset = open_dataset(real_data / "hymenoptera")
    start = time.perf_counter()
    gathered = gather(dataset, canvas=(224, 224), channels=3)
    assert time.perf_counter() - start < 20
    assert tuple(gathered.pixels.shape) == (397, 3, 224, 224)
    assert gathered.faults == []
