"""What one case of the campaign is, what comes of it, and how files are shown to be as they were."""

import hashlib
import os
import stat
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

__all__ = ["VALUE", "Case", "Outcome", "Reader", "Wrong", "entries", "remove", "run_case", "state_of"]

VALUE = "a value"
CHECKERS = ("jaxtyping", "beartype")


class Wrong(Exception):
    """A reader gave a value that cannot be right, or an error where there is none to give."""


@dataclass(frozen=True)
class Case:
    """One case while it runs.

    Attributes:
        folder: the case's own, empty at first.
        random: every draw of the case.
    """

    folder: Path
    random: Random

    @property
    def given(self) -> Path:
        """The person's files, of which none may change."""
        return self.folder / "given"

    @property
    def own(self) -> Path:
        """Where the program may write: its cache is in here."""
        return self.folder / "own"


@dataclass(frozen=True)
class Reader:
    """One way into the program for files that somebody made.

    Attributes:
        name: as the table of answers calls it.
        write: puts files into the case's `given`, with something wrong in most cases.
        read: reads them as the program does; raises `Wrong` where it finds a value that cannot be.
        large: whether a small file may rightly want more memory than there is, as a picture of many pixels does.
    """

    name: str
    write: Callable[[Case], None]
    read: Callable[[Case], None]
    large: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        reader, number: which case.
        answer: `VALUE`, or the name of an error's class.
        fault: empty, or "crash" (an error without a name), "death" (of the process), "hang", "changed" (a file),
            "wrong" (see `Wrong`).
        detail: of the fault, several lines.
        seconds: that reading took.
    """

    reader: str
    number: int
    answer: str
    fault: str = ""
    detail: str = ""
    seconds: float = 0.0


def run_case(reader: Reader, folder: Path, seed: int, number: int) -> Outcome:
    """Write and read one case in a folder that is not there yet; the folder is left as the case leaves it."""
    case = Case(folder, Random(f"{seed}/{reader.name}/{number}"))
    case.given.mkdir(parents=True)
    case.own.mkdir()
    os.environ["NEOCOG_CACHE"], os.environ["NEOCOG_DATA"] = str(case.own / "cache"), str(case.given)
    reader.write(case)
    before = state_of(case.given)
    started = perf_counter()
    answer, fault, detail = _answer(reader, case)
    seconds = perf_counter() - started
    changes = [name for name, state in state_of(case.given).items() if before.pop(name, None) != state] + list(before)
    if changes:
        fault, detail = "changed", ", ".join(map(repr, changes[:5]))
    return Outcome(reader.name, number, answer, fault, detail, seconds)


def _answer(reader: Reader, case: Case) -> tuple[str, str, str]:
    """The answer's name, and a fault with its detail."""
    from neocog.cli.frame import _known  # which errors the command line has words for

    try:
        reader.read(case)
    except Wrong as error:
        return type(error).__name__, "wrong", _trace(error)
    except BaseException as error:
        named = _known(error)
        if not reader.large and type(named).__name__ == "SurroundingsError" and not isinstance(error, OSError) and named is not error:
            return type(error).__name__, "wrong", _trace(error)
        if named is None:
            return type(error).__name__, "crash", _trace(error)
        if not all(part.isprintable() for part in (named.expected, named.found, named.remedy)):
            return type(named).__name__, "wrong", repr(str(named))
        return type(named).__name__, "", ""
    return VALUE, "", ""


def _trace(error: BaseException) -> str:
    """Where an error comes from, without the frames of what checks the calls, and what it says."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not any(name in frame.filename for name in CHECKERS)]
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[-8:]]
    text = [f"{type(error).__name__}: {str(error)[:600]}"]
    return "\n".join([*([_trace(error.__cause__), "which led to"] if error.__cause__ else []), *lines, *text])


def state_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every entry below a folder with its kind, rights, size, time of change, and content or link."""
    return {str(path.relative_to(folder)): _state(path) for path in entries(folder)}


def _state(path: Path) -> tuple[object, ...]:
    try:
        facts = path.lstat()
    except PermissionError:  # in a folder that may be listed and not entered
        return ("hidden",)
    content: object = None
    if stat.S_ISLNK(facts.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(facts.st_mode):
        try:
            content = hashlib.blake2b(path.read_bytes()).digest()
        except OSError:  # it may not be read; the time of change must do
            content = "unreadable"
    return facts.st_mode, facts.st_size, facts.st_mtime_ns, content


def remove(folder: Path) -> None:
    """Remove a folder of any depth with whatever is in it."""
    for path in reversed([folder, *entries(folder, open_up=True)]):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def entries(folder: Path, *, open_up: bool = False) -> Iterator[Path]:
    """What lies below a folder, each folder before its content; links are not followed. A folder may be deeper than recursion goes."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if open_up:
            here.chmod(0o700)
        try:
            found = sorted(os.scandir(here), key=lambda entry: entry.name)
        except PermissionError:
            continue
        for entry in found:
            yield Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
