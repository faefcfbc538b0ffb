"""Where the time of a training goes: every second of its epochs is counted for one part of the work."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

__all__ = ["PARTS", "Stopwatch"]

PARTS = ("input", "forward", "backward", "optimizer", "average", "validation", "checkpoints", "other")
"""input: pictures loaded and augmented. forward: the passes of an adversarial training's attack too. optimizer: clipping
too, and the update of a network that does not learn by gradient. average: averaged weights, and their norms renewed.
validation: its pictures too. checkpoints: the best weights too."""

OTHER = PARTS[-1]
NOTHING: AbstractContextManager[None] = nullcontext()


class Stopwatch:
    """Adds up the seconds of the parts of a training, epoch by epoch; one that does not run costs nothing.

    Args:
        runs: whether time is taken at all.
        clock: gives seconds.
    """

    def __init__(self, *, runs: bool = False, clock: Callable[[], float] = time.perf_counter) -> None:
        self.runs = runs
        self._clock = clock
        self._waits = False
        self._part = OTHER
        self._since = 0.0
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._epochs: list[dict[str, float]] = []

    def start(self, device: str, epochs: Sequence[Mapping[str, float]] = ()) -> None:
        """Begin an epoch now.

        Args:
            device: that computes; an accelerator is waited for at every change of part, so that its work counts where it was asked for.
            epochs: rows of epochs that were measured before.
        """
        self._waits = self.runs and device == "cuda"
        self._epochs = [dict(row) for row in epochs]
        self._since = self._clock()

    def part(self, name: str) -> AbstractContextManager[None]:
        """Inside, time counts for this part, afterwards for the surrounding one again."""
        return self._inside(name) if self.runs else NOTHING

    def end_epoch(self, epoch: int) -> None:
        """Close the row of an epoch, counted from 1, and begin the next."""
        if self.runs:
            self._change(OTHER)
            self._epochs.append({"epoch": epoch, **self._seconds, "total": sum(self._seconds.values())})
            self._seconds = dict.fromkeys(PARTS, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Seconds of each part, epoch by epoch and in total, and the parts' shares of the whole."""
        total = {name: sum(row[name] for row in self._epochs) for name in (*PARTS, "total")}
        shares = {name: total[name] / total["total"] if total["total"] else 0.0 for name in PARTS}
        return {"epochs": self._epochs, "total": total, "shares": shares}

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        before = self._part
        self._change(name)
        try:
            yield
        finally:
            self._change(before)

    def _change(self, name: str) -> None:
        if self._waits:
            torch.cuda.synchronize()
        now = self._clock()
        self._seconds[self._part] += now - self._since
        self._part, self._since = name, now
