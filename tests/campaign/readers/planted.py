"""Faults that the harness must catch: a self-test, no readers of the project."""

import os
import signal
import time

from campaign.case import Case, Reader, Wrong

__all__ = ["READERS"]


def _write(case: Case) -> None:
    (case.given / "file").write_bytes(b"a person's")


def _crash(case: Case) -> None:
    raise ZeroDivisionError("planted")


def _death(case: Case) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(case: Case) -> None:
    time.sleep(3600)


def _change(case: Case) -> None:
    before = (case.given / "file").stat()
    (case.given / "file").write_bytes(b"a program.")
    os.utime(case.given / "file", ns=(before.st_atime_ns, before.st_mtime_ns))


def _removal(case: Case) -> None:
    (case.given / "file").unlink()


def _lie(case: Case) -> None:
    raise Wrong("planted")


READERS = tuple(
    Reader(f"planted {name}", _write, read)
    for name, read in (("crash", _crash), ("death", _death), ("hang", _hang), ("change", _change), ("removal", _removal), ("lie", _lie))
)
