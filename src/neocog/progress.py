"""How a long job says how far it is: nothing at all, or on standard error a bar on a terminal and plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, Protocol, cast, runtime_checkable

from neocog.errors import one_line

__all__ = ["Bars", "Lines", "Progress", "Silent", "counting", "open_progress", "shown_or_silent"]

SECONDS_BETWEEN_LINES = 10.0


@runtime_checkable
class Progress(Protocol):
    """One job at a time, counted in its own units (pictures, steps, bytes)."""

    def start(self, description: str, total: int | None = None) -> None:
        """Begin a job; one that is still open ends.

        Args:
            description: what is done, in a few words.
            total: how many units there are; None when nobody knows.
        """
        ...

    def advance(self, count: int = 1, note: str = "") -> None:
        """Some units are done.

        Args:
            note: a short text to stand beside the bar, as the current loss.
        """
        ...

    def message(self, text: str) -> None:
        """Say a line that stays; ends of lines in it, and signs that a terminal obeys, stand as in an error."""
        ...

    def done(self, summary: str = "") -> None:
        """The open job has ended, if there is one.

        Args:
            summary: a line that stays and says what came of it.
        """
        ...

    def __enter__(self) -> "Progress": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Silent:
    """Says nothing."""

    def start(self, description: str, total: int | None = None) -> None:
        """See Progress."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """See Progress."""

    def message(self, text: str) -> None:
        """See Progress."""

    def done(self, summary: str = "") -> None:
        """See Progress."""

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """See Progress."""


@contextmanager
def counting(progress: Progress, description: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """A job whose worker says (done, in all) instead of how many more are done."""
    done_before = 0

    def done(count: int, _total: int) -> None:
        nonlocal done_before
        progress.advance(count - done_before)
        done_before = count

    progress.start(description, total)
    yield done
    progress.done()


@runtime_checkable
class Stream(Protocol):
    """What is needed of standard error."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


def open_progress(stream: Stream | None = None) -> Progress:
    """The form that suits a stream: bars on a terminal, lines elsewhere.

    Args:
        stream: standard error, unless told otherwise.
    """
    stream = stream or sys.stderr
    return Bars(stream) if stream.isatty() else Lines(stream)


def shown_or_silent(shown: bool) -> Progress:
    """The form that suits standard error where progress is to be shown."""
    return open_progress() if shown else Silent()


class Lines:
    """A line when a job ends that had something to count, and one every ten seconds of a job that takes long."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._description: str | None = None
        self._total: int | None = None
        self._count = 0
        self._note = ""
        self._started = self._spoken = 0.0

    def start(self, description: str, total: int | None = None) -> None:
        """See Progress."""
        self.done()
        self._description, self._total, self._count, self._note = description, total, 0, ""
        self._started = self._spoken = time.monotonic()

    def advance(self, count: int = 1, note: str = "") -> None:
        """See Progress."""
        self._count += count
        self._note = note or self._note
        now = time.monotonic()
        if now - self._spoken >= SECONDS_BETWEEN_LINES:
            self._spoken = now
            of = f" of {self._total:,}" if self._total is not None else ""
            self.message(f"{self._description}: {self._count:,}{of}{self._beside()}")

    def message(self, text: str) -> None:
        """See Progress."""
        print(one_line(text), file=self._stream, flush=True)

    def done(self, summary: str = "") -> None:
        """See Progress."""
        if self._description is not None and (summary or self._count):
            seconds = time.monotonic() - self._started
            self.message(summary or f"{self._description}: {self._count:,} in {seconds:.1f} s{self._beside()}")
        self._description = None

    def _beside(self) -> str:
        return f" · {self._note}" if self._note else ""

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.done()


class Bars:
    """A bar that moves while its job goes on and makes room when it ends."""

    def __init__(self, stream: Stream) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns: tuple[Any, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self._bars = RichProgress(*columns, console=Console(file=cast("IO[str]", stream)), transient=True)
        self._job: Any = None

    def start(self, description: str, total: int | None = None) -> None:
        """See Progress."""
        self.done()
        self._bars.start()
        self._job = self._bars.add_task(one_line(description), total=total, note="")

    def advance(self, count: int = 1, note: str = "") -> None:
        """See Progress."""
        if self._job is not None:
            self._bars.advance(self._job, count)
            if note:
                self._bars.update(self._job, note=note)

    def message(self, text: str) -> None:
        """See Progress."""
        self._bars.console.print(one_line(text), markup=False, highlight=False)

    def done(self, summary: str = "") -> None:
        """See Progress."""
        if self._job is not None:
            self._bars.remove_task(self._job)
            self._job = None
        self._bars.stop()
        if summary:
            self.message(summary)

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.done()
