"""Files are written whole or not at all, wherever the writing fails."""

import errno
import os
import re
import resource
import subprocess
import sys

import pytest

from neocog.errors import SurroundingsError
from neocog.files import PART, printable, replacing, write_atomically, write_json


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "results.csv"
    path.write_bytes(b"old")
    return path


def parts(path):
    return [entry.name for entry in path.parent.iterdir() if entry.name.endswith(PART)]


def failing(error):
    def fail(*arguments, **options):
        raise error

    return fail


def test_json_is_indented_and_ends_with_a_line(path):
    write_json(path, {"a": [1]})
    assert path.read_text() == '{\n  "a": [\n    1\n  ]\n}\n'


def test_a_new_file_and_one_that_takes_the_place_of_another(path):
    write_atomically(path, b"new")
    write_atomically(path.with_name("other"), b"")
    assert path.read_bytes() == b"new"
    assert path.with_name("other").read_bytes() == b""
    assert parts(path) == []


def test_while_it_is_written_the_old_file_stands_and_the_part_beside_it_is_hidden(path):
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
        (part,) = parts(path)
        assert re.fullmatch(r"\.results\.csv\.[0-9a-f]{32}\.part", part)
    assert path.read_bytes() == b"new"


def test_two_writers_of_one_file_do_not_mix_their_bytes(path):
    with replacing(path) as first, replacing(path) as second:
        first.write(b"first" * 100)
        second.write(b"second")
    assert path.read_bytes() == b"first" * 100  # it was the last to be renamed
    assert parts(path) == []


FAILURES = {
    "opening": ("pathlib.Path.open", errno.EACCES, "Permission denied"),
    "flushing": ("neocog.files.os.fsync", errno.ENOSPC, "No space left on device"),
    "renaming": ("pathlib.Path.replace", errno.EROFS, "Read-only file system"),
}


@pytest.mark.parametrize("call", FAILURES)
def test_an_error_of_the_system_leaves_the_old_file_and_is_named(path, monkeypatch, call):
    function, number, words = FAILURES[call]
    with monkeypatch.context() as patched:
        patched.setattr(function, failing(OSError(number, os.strerror(number))))
        with pytest.raises(SurroundingsError) as caught:
            write_atomically(path, b"new" * 1000)
    assert str(caught.value) == f"expected: 3,000 bytes written to {path}\nfound: {words}\nto do: free some space, or choose another folder"
    assert caught.value.exit_code == 4
    assert path.read_bytes() == b"old"
    assert parts(path) == []


@pytest.mark.parametrize("function", ["neocog.files.os.fsync", "pathlib.Path.replace"])
def test_an_interruption_leaves_the_old_file(path, monkeypatch, function):
    with monkeypatch.context() as patched:
        patched.setattr(function, failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert parts(path) == []


def test_an_error_of_the_writer_leaves_the_old_file(path):
    def write():
        with replacing(path) as file:
            file.write(b"half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert path.read_bytes() == b"old"
    assert parts(path) == []


def test_a_file_system_that_cannot_flush_folders_is_no_fault(path, monkeypatch):
    flush = os.fsync

    def only_files(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112 - of a handle
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(handle)

    monkeypatch.setattr("neocog.files.os.fsync", only_files)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


KILLED = """
import os, pathlib, signal, sys
from neocog import files

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

owner, name = {"fsync": (os, "fsync"), "replace": (pathlib.Path, "replace"), "flush": (files, "_flush_folder")}[sys.argv[1]]
setattr(owner, name, die)
files.write_atomically(pathlib.Path(sys.argv[2]), b"new" * 100_000)
"""


@pytest.mark.parametrize(("call", "left"), [("fsync", b"old"), ("replace", b"old"), ("flush", b"new" * 100_000)])
def test_a_kill_leaves_the_old_file_or_the_new_one(path, call, left):
    done = subprocess.run([sys.executable, "-c", KILLED, call, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == left


def test_a_full_disk_in_the_middle_of_the_bytes_leaves_the_old_file(path):
    code = (
        "import resource, sys, pathlib\n"
        "from neocog.errors import SurroundingsError\n"
        "from neocog.files import write_atomically\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))\n"
        "try:\n"
        "    write_atomically(pathlib.Path(sys.argv[1]), b'new' * 1000)\n"
        "except SurroundingsError as error:\n"
        "    print(error.found)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"old"
    assert parts(path) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [("café.jpg", "café.jpg"), ("caf\udce9.jpg", r"caf\xe9.jpg"), ("\ud83d.jpg", r"\xed\xa0\xbd.jpg")],
)
def test_every_name_can_be_printed(name, shown):
    assert printable(name) == shown
    assert shown.encode().decode() == shown
