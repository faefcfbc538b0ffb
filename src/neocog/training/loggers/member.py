"""What a member of this folder is, and the registry that finds it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from neocog.recipe import Recipe
from neocog.registry import Registry

__all__ = ["BEST", "LOGGERS", "Ending", "Logger", "LoggerMember", "points"]

Ending = Literal["finished", "stopped", "failed"]

BEST = "best/"
"""Before the names of what the best weights came to, which are no part of any curve."""


@runtime_checkable
class Logger(Protocol):
    """Writes one training's epochs down, in another package's form.

    A method may raise whatever that package raises; `neocog.training.logs` bears it, and calls `begin` again.
    """

    def begin(self, folder: Path, recipe: Recipe, rows: Sequence[Mapping[str, float]]) -> None:
        """Open the log, a new one or that of a training that was stopped, and bring it to these epochs.

        What it lacks of them is written. A later epoch that it holds was lost with a kill and will be trained again.

        Args:
            folder: of the run.
            recipe: complete.
            rows: of metrics.csv so far.
        """
        ...

    def epoch(self, row: Mapping[str, float]) -> None:
        """Write the next row of metrics.csv."""
        ...

    def end(self, metrics: Mapping[str, float], step: int) -> None:
        """Write what the best weights came to; said a second time, it changes nothing.

        Args:
            metrics: by names such as "test/accuracy".
            step: the training's last.
        """
        ...

    def close(self, ending: Ending) -> None:
        """Let go of files and connections; a log that was never opened has none."""
        ...


@dataclass(frozen=True)
class LoggerMember:
    """One kind of log.

    Attributes:
        open: makes the logger; nothing is imported or written yet.
        packages: what it imports; `pip install neocog[NAME]` has them.
        summary: what it writes, and where to.
    """

    open: Callable[[], Logger]
    packages: tuple[str, ...]
    summary: str


LOGGERS: Registry[LoggerMember] = Registry("a log", "neocog.training.loggers")


def points(row: Mapping[str, float]) -> dict[str, float]:
    """The values of a row of metrics.csv, without its place on the axis."""
    return {name: value for name, value in row.items() if name not in ("epoch", "step")}
