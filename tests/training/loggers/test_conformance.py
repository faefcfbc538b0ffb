"""Every log holds each epoch once, whatever became of the processes that wrote it."""

import sys

import pytest

from neocog.training.loggers import LOGGERS, Logger
from training.loggers.sessions import READERS, RECIPE, ROWS, expected, session


@pytest.fixture(params=list(LOGGERS))
def name(request):
    return request.param


def test_every_log_can_be_read_back():
    assert set(READERS) == set(LOGGERS)


def test_a_member_is_a_logger_that_imports_nothing_before_it_begins(name):
    before = set(sys.modules)
    assert isinstance(LOGGERS[name].open(), Logger)
    assert set(sys.modules) == before


SESSIONS = {
    "unbroken": [(0, [1, 2, 3, 4])],
    "stopped between epochs": [(0, [1, 2]), (2, [3, 4])],
    "killed before a checkpoint": [(0, [1, 2, 3]), (2, [3, 4])],
    "killed long after a checkpoint": [(0, [1, 2, 3, 4]), (1, [2, 3, 4])],
    "killed before the first checkpoint": [(0, [1]), (0, [1, 2, 3, 4])],
    "killed again and again": [(0, [1, 2]), (1, [2, 3]), (2, []), (1, [2]), (2, [3, 4])],
    "killed before an epoch was logged": [(0, [1]), (3, [4])],
    "killed where the log failed for a while": [(0, [1, 3]), (3, [4])],
    "moved away from what was logged": [(3, [4])],
    "begun again at the end": [(0, [1, 2, 3, 4]), (4, [])],
}


@pytest.mark.parametrize("case", SESSIONS)
def test_the_curves_are_those_of_an_unbroken_training(name, run, case):
    for known, new in SESSIONS[case]:
        session(name, run, known, new)
    assert READERS[name][0](run) == expected(name)


def test_what_the_best_weights_came_to_is_written_once(name, run):
    session(name, run, 0, [1, 2, 3, 4], {"test/accuracy": 0.8})
    session(name, run, 4, [], {"test/accuracy": 0.8})
    assert READERS[name][0](run) == expected(name, best=True)


def test_a_logger_that_begins_again_fills_in_what_is_lacking(name, run):
    logger = LOGGERS[name].open()
    logger.begin(run, RECIPE, [])
    logger.epoch(ROWS[0])
    logger.begin(run, RECIPE, ROWS[:3])
    logger.epoch(ROWS[3])
    logger.close("finished")
    assert READERS[name][0](run) == expected(name)


def test_nothing_is_in_the_run_before_its_first_epoch(name, run):
    logger = LOGGERS[name].open()
    logger.begin(run, RECIPE, [])
    logger.close("stopped")
    assert list(run.iterdir()) == []
