"""Event files, as TensorBoard shows them."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neocog.files import make_folder
from neocog.recipe import Recipe, recipe_to_toml
from neocog.run.folder import TENSORBOARD
from neocog.training.loggers.member import BEST, LOGGERS, Ending, LoggerMember, points

__all__ = ["TensorBoard"]

STEM, SUFFIX = "events.out.tfevents.", ".neocog"
VERSION = "brain.Event:2"  # of the format; since 2 a reader forgets steps at a START mark only


class TensorBoard:
    """Scalars over the step, and the recipe as a text.

    Each process that trains writes a file of its own. Its first mark is the step from which on all earlier files
    are superseded (SessionLog.START). The files are numbered: TensorBoard reads them in the order of their names,
    and its own, which hold the second and the process, fall out of order where a clock does.
    """

    def __init__(self) -> None:
        self._folder = Path()
        self._recipe = Recipe()
        self._since = 0
        self._held: set[tuple[str, int]] = set()
        self._path: Path | None = None

    def begin(self, folder: Path, recipe: Recipe, rows: Sequence[Mapping[str, float]]) -> None:
        """See Logger."""
        self._folder, self._recipe, self._path = folder / TENSORBOARD, recipe, None
        held = _held(self._folder)
        ended = int(rows[-1]["step"]) + 1 if rows else 1
        self._since = next((int(row["step"]) for row in rows if not _of(row) <= held), ended)
        self._held = {(name, step) for name, step in held if step < self._since}
        for row in rows:
            if row["step"] >= self._since:
                self.epoch(row)

    def epoch(self, row: Mapping[str, float]) -> None:
        """See Logger."""
        self._write(points(row), int(row["step"]))

    def end(self, metrics: Mapping[str, float], step: int) -> None:
        """See Logger."""
        new = {name: value for name, value in metrics.items() if (BEST + name, step) not in self._held}
        if new:
            self._write({BEST + name: value for name, value in new.items()}, step)

    def close(self, ending: Ending) -> None:
        """See Logger; a file is open only while it is written to."""

    def _write(self, values: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._path is None:  # not before there is something to write: a run without an epoch may be begun anew
            self._path = self._new_file()
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        _append(self._path, {"step": step, "summary": Summary(value=scalars)})

    def _new_file(self) -> Path:
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from torch.utils.tensorboard.summary import text

        make_folder(self._folder)
        number = max((_number(path) for path in _files(self._folder)), default=0) + 1
        path = self._folder / f"{STEM}{number:010d}{SUFFIX}"
        _append(path, {"file_version": VERSION}, {"step": self._since, "session_log": SessionLog(status=SessionLog.START)})
        if number == 1:
            _append(path, {"step": 0, "summary": text("recipe", f"```toml\n{recipe_to_toml(self._recipe)}```")})
        return path


def _append(path: Path, *events: Mapping[str, Any]) -> None:
    """Add events that happen now to a file."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    with path.open("ab") as file:
        for event in events:
            RecordWriter(file).write(Event(wall_time=time.time(), **event).SerializeToString())


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{STEM}*{SUFFIX}"))


def _number(path: Path) -> int:
    digits = path.name.removeprefix(STEM).removesuffix(SUFFIX)
    return int(digits) if digits.isdecimal() else 0


def _of(row: Mapping[str, float]) -> set[tuple[str, int]]:
    return {(name, int(row["step"])) for name in points(row)}


def _held(folder: Path) -> set[tuple[str, int]]:
    """The names and steps of what TensorBoard shows of a folder."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    held: set[tuple[str, int]] = set()
    for path in _files(folder):
        for event in EventFileLoader(str(path)).Load():
            if event.HasField("session_log"):
                held = {(name, step) for name, step in held if step < event.step}
            held |= {(value.tag, event.step) for value in event.summary.value}
    return held


LOGGERS.add("tensorboard", LoggerMember(TensorBoard, ("tensorboard",), "event files in RUN/tensorboard, for TensorBoard"))
