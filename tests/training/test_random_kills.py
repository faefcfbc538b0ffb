"""Kills at random times change nothing, whatever is trained: a few always, two hundred when the slow tests run."""

import pytest

from training.random_kills import KINDS, kill_at_random


def require_no_difference(report):
    assert not report.different, report.describe()


def test_kills_at_random_times_change_nothing(tmp_path):
    report = kill_at_random(tmp_path, count=4, seed=5, kinds=("averaged", "perceptron"))
    require_no_difference(report)
    assert report.kills.total() >= 4


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_of_all_kinds_change_nothing(tmp_path):
    report = kill_at_random(tmp_path, count=200, seed=0)
    require_no_difference(report)
    assert report.kills.keys() == KINDS.keys()
