"""The logs that a recipe names: what goes wrong in one never ends a training."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from neocog.errors import Interrupted, SurroundingsError
from neocog.progress import Progress
from neocog.recipe import Recipe
from neocog.run import RunFolder
from neocog.training.loggers import LOGGERS, Logger
from neocog.training.loggers.member import Ending

__all__ = ["Logs"]

FAILURES_BORNE = 3
LONGEST_REASON = 200


@dataclass
class Log:
    """One of them.

    Attributes:
        logger: that writes it.
        begun: whether it holds all epochs that it was told of.
        failures: of its calls.
    """

    logger: Logger
    begun: bool = False
    failures: int = 0


class Logs:
    """Every log of one training; at the end of a `with` block they are told how it ended.

    A log that fails is named once, and brought up to date with the next epoch; after three failures it is given up.

    Args:
        names: of the logs, see `LOGGERS`.
        folder: of the run.
        progress: told of the first failure of each.

    Raises:
        UsageError: no log has such a name.
        SurroundingsError: a package is missing.
    """

    def __init__(self, names: Sequence[str], folder: RunFolder, progress: Progress) -> None:
        for name in names:
            _require_packages(name)
        self._folder, self._progress = folder, progress
        self._logs = {name: Log(LOGGERS[name].open()) for name in names}
        self._recipe = Recipe()
        self._rows: Sequence[Mapping[str, float]] = ()

    def __enter__(self) -> "Logs":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        ending: Ending = "finished" if error is None else "stopped" if stopped else "failed"
        self._each(lambda log: log.logger.close(ending))

    def follow(self, recipe: Recipe, rows: Sequence[Mapping[str, float]]) -> None:
        """Bring every log to these epochs.

        Args:
            recipe: complete.
            rows: of metrics.csv so far; at most the last of them is new since the last call.
        """
        self._recipe, self._rows = recipe, rows
        self._each(lambda log: log.logger.epoch(rows[-1]) if log.begun else self._begin(log))

    def end(self, metrics: Mapping[str, float], step: int) -> None:
        """Write what the best weights came to.

        Args:
            metrics: by names such as "test/accuracy".
            step: the training's last.
        """

        def write(log: Log) -> None:
            if not log.begun:
                self._begin(log)
            log.logger.end(metrics, step)

        self._each(write)

    def _begin(self, log: Log) -> None:
        log.logger.begin(self._folder.path, self._recipe, self._rows)
        log.begun = True

    def _each(self, call: Callable[[Log], None]) -> None:
        for name, log in [*self._logs.items()]:
            try:
                call(log)
            except Exception as error:  # whatever another package raises
                log.begun, log.failures = False, log.failures + 1
                self._note(name, log, error)

    def _note(self, name: str, log: Log, error: Exception) -> None:
        """Say the first failure, write down each, and give the log up after the last that is borne."""
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:LONGEST_REASON]
        given_up = log.failures == FAILURES_BORNE
        step = int(self._rows[-1]["step"]) if self._rows else 0
        self._folder.log("log failed", step=step, log=name, reason=reason, given_up=given_up)
        if log.failures == 1:
            self._progress.message(f"--log {name} failed, the training goes on: {reason}")
        if given_up:
            del self._logs[name]


def _require_packages(name: str) -> None:
    """Check that what a log needs can be imported, before hours are spent.

    Raises:
        UsageError: no log has that name.
        SurroundingsError: a package is missing.
    """
    for package in LOGGERS[name].packages:
        if importlib.util.find_spec(package) is None:
            raise SurroundingsError(f"the package {package}, which --log {name} needs", "none", f"pip install 'neocog[{name}]'")
