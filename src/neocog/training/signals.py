"""SIGINT and SIGTERM ask for an end after the step; a second SIGINT ends at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

__all__ = ["StopRequest"]

Handler = Callable[[int, FrameType | None], Any] | int | None


class StopRequest:
    """Inside a `with` block, signals are noted instead of obeyed; afterwards everything is as before.

    Elsewhere than in the main thread no signal can be caught: the request then never comes.
    """

    def __init__(self) -> None:
        self.requested = False
        self.name = ""
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested, self.name = True, signal.Signals(number).name
