"""Event files: their order, their marks, and one that was cut short."""

import itertools
import tomllib

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import SessionLog

from neocog.recipe import recipe_from_table, recipe_to_toml
from neocog.training.loggers import tensorboard
from training.loggers.sessions import READERS, RECIPE, expected, session

curves = READERS["tensorboard"][0]


def files(run):
    return sorted((run / "tensorboard").iterdir())


def test_a_file_for_each_process_with_the_step_from_which_it_counts(run):
    session("tensorboard", run, 0, [1, 2, 3])
    session("tensorboard", run, 2, [3, 4])
    assert [path.name for path in files(run)] == ["events.out.tfevents.0000000001.neocog", "events.out.tfevents.0000000002.neocog"]
    marks = [[event for event in EventFileLoader(str(path)).Load() if event.HasField("session_log")] for path in files(run)]
    assert [[(mark.step, mark.session_log.status) for mark in of_file] for of_file in marks] == [
        [(1, SessionLog.START)],
        [(13, SessionLog.START)],
    ]


def test_epochs_keep_the_time_at_which_they_were_logged(run, monkeypatch):
    """Also where the clock goes back between two processes."""
    clock = itertools.count(2000)
    monkeypatch.setattr(tensorboard.time, "time", lambda: float(next(clock)))
    session("tensorboard", run, 0, [1, 2])
    clock = itertools.count(1000)
    session("tensorboard", run, 2, [3, 4])
    shown = EventAccumulator(str(run / "tensorboard")).Reload()
    times = [event.wall_time for event in shown.Scalars("train/loss")]
    assert [time // 1000 for time in times] == [2, 2, 1, 1]
    assert curves(run) == expected("tensorboard")


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_what_a_file_that_was_cut_short_lost_is_written_anew(run, cut):
    session("tensorboard", run, 0, [1, 2, 3])
    (path,) = files(run)
    path.write_bytes(path.read_bytes()[:-cut])
    session("tensorboard", run, 3, [4])
    assert curves(run) == expected("tensorboard")


def test_another_programs_event_files_are_let_be(run):
    other = run / "tensorboard" / "events.out.tfevents.1.other"
    other.parent.mkdir()
    other.write_bytes(b"")
    session("tensorboard", run, 0, [1, 2, 3, 4])
    assert other.read_bytes() == b""
    assert curves(run) == expected("tensorboard")


def test_the_recipe_is_there_to_read(run):
    session("tensorboard", run, 0, [1])
    session("tensorboard", run, 1, [2])
    shown = EventAccumulator(str(run / "tensorboard")).Reload()
    assert shown.Tags()["tensors"] == ["recipe/text_summary"]
    (event,) = shown.Tensors("recipe/text_summary")
    text = event.tensor_proto.string_val[0].decode()
    assert text == f"```toml\n{recipe_to_toml(RECIPE)}```"
    assert recipe_from_table(tomllib.loads(text.strip("`").removeprefix("toml\n"))) == RECIPE
