"""The one pass over all pictures: what it finds, names and stops at."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from neocog.data.check import check
from neocog.data.open import open_dataset
from neocog.data.survey import Fault, Note, judge, survey
from neocog.errors import DataError


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb():
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.fixture
def odd(folder):
    """Every kind of picture that needs a word, among plain ones."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [noise.quantize(16), noise.rotate(90, expand=False).quantize(16)]
    files = {f"{name}/{number}.png": number + 100 * (name == "dog") for name in ("cat", "dog") for number in range(30)}
    return folder(
        files
        | {
            "cat/animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
            "cat/bomb.png": bomb(),
            "cat/cmyk.jpg": saved(noise.convert("CMYK"), "JPEG"),
            "cat/cut.png": saved(noise)[:500],
            "cat/deep.png": saved(Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40))),
            "cat/empty.png": b"",
            "cat/letter.png": b"Dear reader, this is no picture.",
            "cat/lies.jpg": saved(noise.rotate(180)),
            "cat/point.png": saved(Image.new("RGB", (1, 1))),
            "cat/turned.jpg": saved(noise, "JPEG", exif=exif),
        }
    )


def state(root):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(root.rglob("*")) if path.is_file()}


def test_faults_and_notes_have_names(odd):
    before = state(odd)
    dataset = open_dataset(odd)
    found = survey(dataset)
    assert [(fault.where, fault.kind) for fault in found.faults] == [
        ("cat/bomb.png", "bomb"),
        ("cat/cut.png", "damaged"),
        ("cat/empty.png", "empty"),
        ("cat/letter.png", "foreign"),
    ]
    assert found.faults[0].detail == "30,000 by 30,000 pixels, which may be a decompression bomb"
    assert found.notes == [
        Note("cat/animated.gif", "animated"),
        Note("cat/cmyk.jpg", "cmyk"),
        Note("cat/deep.png", "16 bit, values to 2047 of 65535"),
        Note("cat/lies.jpg", "suffix"),
        Note("cat/point.png", "1x1"),
        Note("cat/turned.jpg", "rotated"),
    ]
    assert state(odd) == before
    by_name = dict(zip(dataset.wheres(), found.sizes.tolist(), strict=True))
    assert by_name["cat/turned.jpg"] == [40, 30]
    assert by_name["cat/empty.png"] == [0, 0]
    assert [digest == dataset.digest(i) for i, digest in enumerate(found.digests)] == [True] * len(dataset)
    judge(dataset, found.faults)  # four faults are too few to stop


def test_a_survey_is_the_same_with_any_number_of_threads(odd):
    one, many = survey(open_dataset(odd), threads=1), survey(open_dataset(odd), threads=7)
    assert one.digests == many.digests
    assert one.faults == many.faults
    assert one.notes == many.notes
    assert torch.equal(one.sizes, many.sizes)


def test_progress_counts_to_the_end(two_classes):
    told = []
    survey(open_dataset(two_classes), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)
    assert told == sorted(told)


def test_what_progress_raises_ends_the_pass(two_classes):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey(open_dataset(two_classes), progress=stop)


def test_threads_of_the_caller_keep_their_count(two_classes):
    before = torch.get_num_threads()
    survey(open_dataset(two_classes))
    assert torch.get_num_threads() == before


def test_a_drawn_set_is_hashed_by_its_pixels():
    dataset = open_dataset("shapes", count=5)
    found = survey(dataset)
    assert found.digests == [dataset.digest(i) for i in range(5)]
    assert found.sizes.tolist() == [[64, 64]] * 5
    assert found.channels.tolist() == [3] * 5


def test_a_file_that_vanished_and_one_that_may_not_be_read(two_classes, monkeypatch):
    dataset = open_dataset(two_classes)
    (two_classes / "cat" / "3.png").unlink()
    refused = two_classes / "dog" / "4.png"
    real = type(refused).read_bytes

    def read_bytes(path):
        if path == refused:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(type(refused), "read_bytes", read_bytes)
    found = survey(dataset)
    assert found.faults == [
        Fault("cat/3.png", "missing", "no file"),
        Fault("dog/4.png", "unreadable", "a file that cannot be read (Permission denied)"),
    ]
    assert found.digests[3] == b""


def bad_folder(folder, bad, good):
    files = {f"cat/{number:04}.png": number for number in range(good)} | {f"cat/bad{number:03}.png": b"" for number in range(bad)}
    return folder(files | {"dog/1.png": 9999})


@pytest.mark.parametrize(("bad", "good", "stops"), [(9, 20, False), (10, 20, True), (10, 989, False), (10, 988, True)])
def test_more_than_a_hundredth_and_at_least_ten_stop(folder, bad, good, stops):
    dataset = open_dataset(bad_folder(folder, 0, 2))
    faults = [Fault(f"cat/bad{number:03}.png", "empty", "an empty file") for number in range(bad)]

    class Longer(type(dataset)):
        def __len__(self):
            return bad + good + 1

        def wheres(self):
            return [*(f"cat/{number}" for number in range(good)), *(fault.where for fault in faults), "dog/1.png"]

        def class_indices(self):
            return torch.tensor([0] * (bad + good) + [1])

    dataset.__class__ = Longer
    if not stops:
        judge(dataset, faults)
        return
    with pytest.raises(DataError) as caught:
        judge(dataset, faults)
    assert str(caught.value) == (
        "expected: at most 1% of the pictures unreadable\n"
        f"found: {bad} of {bad + good + 1:,}, the first of them cat/bad000.png (an empty file)\n"
        "to do: repair them or take them away, or go on without them by --allow-bad"
    )
    judge(dataset, faults, allow_bad=True)


def test_a_class_with_no_picture_left(folder):
    root = folder({"cat/1.png": 1, "cat/2.png": 2, "dog/1.png": b"", "dog/2.png": b"x"})
    dataset = open_dataset(root)
    with pytest.raises(DataError) as caught:
        judge(dataset, survey(dataset).faults, allow_bad=True)
    assert str(caught.value) == (
        "expected: a readable picture in every class\nfound: none is left of dog; dog/1.png: an empty file\n"
        "to do: replace its pictures, or take the class away"
    )


def test_report_of_a_folder(odd):
    (odd / "dog" / "copy.png").write_bytes((odd / "cat" / "0.png").read_bytes())
    report = check(open_dataset(odd))
    assert report.pictures == {"all": 71}
    assert report.classes == {"all": {"cat": 36, "dog": 31}}
    assert (report.heights.least, report.heights.most, report.widths.median) == (1, 40, 24)
    assert (report.grey, report.colour) == (1, 66)
    assert report.duplicates == report.contradictions == (("cat/0.png", "dog/copy.png"),)
    assert report.leaks == ()
    assert len(report.faults) == 4
    assert report.obstacles == ()
    assert report.remarks == ("class folders", "the same picture in two classes: cat/0.png = dog/copy.png")
    assert sum(report.splits.values()) == 67
    import json

    assert json.loads(json.dumps(report.to_dict()))["faults"][0]["where"] == "cat/bomb.png"


def test_report_of_given_splits(folder):
    report = check(open_dataset(folder({"train/a/1.png": 1, "train/b/1.png": 2, "val/a/1.png": 1, "val/c/1.png": 3})))
    assert report.pictures == {"train": 2, "val": 2}
    assert report.classes == {"train": {"a": 1, "b": 1, "c": 0}, "val": {"a": 1, "b": 0, "c": 1}}
    assert report.leaks == (("train/a/1.png", "val/a/1.png"),)
    assert report.contradictions == ()
    assert report.obstacles == ("expected every class among the training pictures, found c only in val",)
    assert report.splits == {}


@pytest.mark.parametrize("task", ["detect", "segment", "denoise"])
def test_report_of_other_targets(task):
    dataset = open_dataset("shapes", task, count=6)
    report = check(dataset)
    assert report.pictures == {"all": 6}
    if task == "detect":
        assert sum(report.classes["all"].values()) == sum(len(dataset.target(i).classes) for i in range(6))
    elif task == "segment":
        assert report.classes["all"]["background"] == 6
    else:
        assert report.classes == {}


def test_report_when_nothing_can_be_used(folder):
    report = check(open_dataset(folder({"a/1.png": b"", "b/1.png": b"x"})))
    assert report.heights is None
    assert report.widths is None
    assert report.obstacles == ("expected a readable picture in every class, found none is left of a; a/1.png: an empty file",)


@pytest.mark.parametrize("bits", [1, 8, 10, 12, 14, 15, 16])
@pytest.mark.parametrize("colour", [False, True])
def test_sixteen_bits_that_are_hardly_used_are_named(bits, colour, folder):
    values = np.linspace(0, 2**bits - 1, 300).astype(np.uint16).reshape(10, 30)
    if colour:
        content = rgb16(values)
        bits = max(bits, 8)  # the lower halves of the numbers are not decoded
    else:
        content = saved(Image.fromarray(values))
    notes = survey(open_dataset(folder({"cat/1.png": content, "dog/1.png": 1}))).notes
    expected = "16 bit" if bits > 14 else f"16 bit, values to {2**bits - 1} of 65535"
    assert notes == [Note("cat/1.png", expected)]


def rgb16(values):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = values.shape
    rows = b"".join(b"\0" + np.repeat(row[:, None], 3, axis=1).astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_no_memory_is_no_fault_of_a_picture(two_classes, monkeypatch):
    def load(image):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", load)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError):
        survey(open_dataset(two_classes))
