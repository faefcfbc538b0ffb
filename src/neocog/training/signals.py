"""SIGINT and SIGTERM end a training at once where nothing is lost, else after the step; a second SIGINT ends it at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from neocog.errors import Interrupted

__all__ = ["StopRequest"]

Handler = Callable[[int, FrameType | None], Any] | int | None


class StopRequest:
    """Inside a `with` block, SIGTERM raises KeyboardInterrupt as SIGINT does; inside `awaited`, both are only noted.

    Afterwards everything is as before. Elsewhere than in the main thread no signal can be caught: the request
    then never comes.

    Args:
        last_words: whether an error that leaves the block can be told undisturbed: SIGTERM is then without effect from
            the error on. Who starts several processes sends it to those that are left when one has ended.
    """

    def __init__(self, *, last_words: bool = False) -> None:
        self._last_words = last_words
        self.requested = False
        self.name = ""
        self._is_awaited = False
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            ignored = self._last_words and error is not None and number == signal.SIGTERM
            signal.signal(number, signal.SIG_IGN if ignored else handler)

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """Inside, whoever works looks at `requested`; only a second SIGINT still raises KeyboardInterrupt.

        A request that nobody looked at raises it at the end.
        """
        self._is_awaited = True
        try:
            yield
        except BaseException:
            self._is_awaited = self._last_words
            raise
        self._is_awaited = False
        if self.requested:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def remedied(self, remedy: str) -> Iterator[None]:
        """Inside, a signal that ends the work at once raises Interrupted.

        Args:
            remedy: what the person can do then.

        Raises:
            Interrupted: a signal came.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted("a training to its end", self.name or "an interruption", remedy) from None

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self.requested, self.name = self.requested, True, signal.Signals(number).name
        if not self._is_awaited or (again and number == signal.SIGINT):
            raise KeyboardInterrupt
