"""Runs cases in processes of their own, and notices what a process cannot say of itself: that it died, or hangs."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any

from campaign.case import VALUE, Outcome

__all__ = ["LIMIT", "campaign", "table"]

LIMIT = 60.0
"""Seconds for one case. The slowest honest one decodes a picture of the largest admitted size."""

LOADING = 300.0  # seconds for the program to load, on a machine that is busy
DYING = 10.0  # seconds
CHILD = Path(__file__).with_name("child.py")
STACK_LINES = 30


class _Worker:
    """A process that runs cases, and those that take its place when it dies (see child.py).

    Args:
        folder: for the cases' folders.
        limit: seconds for one case.
    """

    def __init__(self, folder: Path, limit: float) -> None:
        self._limit = limit
        self._stacks = folder / f"stacks-{uuid.uuid4().hex}.txt"
        self._connection, theirs = Pipe()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        arguments = [sys.executable, "-W", "ignore", str(CHILD), str(theirs.fileno()), str(self._stacks), str(folder)]
        self._process = subprocess.Popen(arguments, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        self._number = self._heard(LOADING)

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()  # there is no more to do
        self._process.wait()
        self._stacks.unlink(missing_ok=True)

    def run(self, reader: str, seed: int, number: int) -> Outcome:
        """One case."""
        self._connection.send((reader, seed, number))
        hangs = not self._connection.poll(self._limit)
        if hangs:
            os.kill(self._number, signal.SIGABRT)  # at which it writes where it is
            if not self._connection.poll(DYING):
                os.kill(self._number, signal.SIGKILL)
        answer = self._heard(LOADING)
        if isinstance(answer, Outcome):
            return answer
        lines = self._stacks.read_text(errors="replace").splitlines()[:STACK_LINES]
        self._number = self._heard(LOADING)
        return Outcome(reader, number, "none", "hang" if hangs else "death", "\n".join([f"exit code {answer}", *lines]))

    def _heard(self, patience: float) -> Any:
        """What the processes say next: a new one its number, one that has run a case its outcome, one of another's death the exit code."""
        if not self._connection.poll(patience):
            self._process.kill()
            raise TimeoutError(f"nothing was heard from the processes of the cases in {patience:.0f} s")
        return self._connection.recv()


def campaign(
    cases: Iterable[tuple[str, int]],
    *,
    seed: int,
    folder: Path,
    jobs: int = 1,
    limit: float = LIMIT,
    tell: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Run cases and tell how each ended.

    Args:
        cases: reader and number of each.
        seed: that all draws follow from, with reader and number.
        folder: for the cases; those with a fault stay in it.
        jobs: how many run at once.
        limit: seconds for each.
        tell: told of each outcome at once.
    """
    waiting, lock, outcomes = iter(cases), threading.Lock(), list[Outcome]()

    def work() -> None:
        with _Worker(folder, limit) as worker:
            while True:
                with lock:
                    case = next(waiting, None)
                if case is None:
                    return
                outcome = worker.run(case[0], seed, case[1])
                with lock:
                    outcomes.append(outcome)
                    if tell is not None:
                        tell(outcome)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes, key=lambda outcome: (outcome.reader, outcome.number))


def table(outcomes: Sequence[Outcome]) -> str:
    """Counts by reader and answer; faults in the last columns."""
    answers = Counter(outcome.answer for outcome in outcomes if not outcome.fault)
    faults = Counter(outcome.fault for outcome in outcomes if outcome.fault)
    columns = ["cases", *sorted(answers, key=lambda name: (name != VALUE, name)), *(f"FAULT {name}" for name in sorted(faults)), "slowest"]
    rows = [["reader", *columns]]
    for reader in [*sorted({outcome.reader for outcome in outcomes}), "all"]:
        own = [outcome for outcome in outcomes if reader in (outcome.reader, "all")]
        counts = Counter(f"FAULT {outcome.fault}" if outcome.fault else outcome.answer for outcome in own)
        slowest = max((outcome.seconds for outcome in own), default=0.0)
        rows.append([reader, str(len(own)), *(str(counts[name]) for name in columns[1:-1]), f"{slowest:.2f} s"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)
