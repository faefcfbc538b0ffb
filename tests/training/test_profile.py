"""Where the time goes: every second is counted once, and measuring changes nothing."""

import json

import pytest

import neocog
from neocog.errors import RunError
from neocog.run import RunFolder
from neocog.training.profile import PARTS, Stopwatch
from training.kills import results

CHOICES = {"model": "small_convnet", "width": 2, "epochs": 3, "batch_size": 512, "ema": 0.5, "speed": "exact", "progress": False}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def started(clock, **more):
    stopwatch = Stopwatch(runs=True, clock=clock)
    stopwatch.start("cpu", **more)
    return stopwatch


class TestStopwatch:
    def test_a_part_inside_another_counts_for_itself_alone(self, clock):
        stopwatch = started(clock)
        clock.now = 1
        with stopwatch.part("validation"):
            clock.now = 3
            with stopwatch.part("average"):
                clock.now = 7
            clock.now = 15
        clock.now = 31
        stopwatch.end_epoch(1)
        (row,) = stopwatch.to_dict()["epochs"]
        assert {name: value for name, value in row.items() if value} == {
            "epoch": 1,
            "other": 1 + 16,
            "validation": 2 + 8,
            "average": 4,
            "total": 31,
        }

    def test_an_error_ends_its_part(self, clock):
        stopwatch = started(clock)

        def lost():
            with stopwatch.part("input"):
                clock.now = 2
                raise ValueError("lost")

        with pytest.raises(ValueError, match="lost"):
            lost()
        clock.now = 5
        stopwatch.end_epoch(1)
        assert (stopwatch.to_dict()["total"]["input"], stopwatch.to_dict()["total"]["other"]) == (2, 3)

    def test_epochs_add_up_and_shares_are_of_the_whole(self, clock):
        stopwatch = started(clock)
        for epoch, seconds in enumerate((3, 5), 1):
            with stopwatch.part("forward"):
                clock.now += seconds
            clock.now += 1
            stopwatch.end_epoch(epoch)
        profile = stopwatch.to_dict()
        assert [(row["epoch"], row["forward"], row["total"]) for row in profile["epochs"]] == [(1, 3, 4), (2, 5, 6)]
        assert profile["total"]["total"] == 10
        assert profile["shares"] == {name: {"forward": 0.8, "other": 0.2}.get(name, 0) for name in PARTS}

    def test_epochs_measured_before_are_kept(self, clock):
        first = started(clock)
        clock.now = 2
        first.end_epoch(1)
        second = started(clock, epochs=first.to_dict()["epochs"])
        clock.now = 5
        second.end_epoch(2)
        assert [row["total"] for row in second.to_dict()["epochs"]] == [2, 3]

    def test_one_that_does_not_run_counts_nothing(self, clock):
        stopwatch = Stopwatch(clock=clock)
        stopwatch.start("cpu")
        with stopwatch.part("input"), stopwatch.part("forward"):
            clock.now = 2
        stopwatch.end_epoch(1)
        assert stopwatch.to_dict()["epochs"] == []
        assert set(stopwatch.to_dict()["shares"].values()) == {0.0}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    run = tmp_path_factory.mktemp("measured") / "run"
    return neocog.train("digits", out=run, profile=True, **CHOICES)


def test_every_epoch_is_measured_and_nothing_is_lost(measured):
    profile = RunFolder(measured.path).profile()
    assert profile == measured.result.profile == measured.result.to_dict()["profile"]
    assert [row["epoch"] for row in profile["epochs"]] == [1, 2, 3]
    for row, kept in zip(profile["epochs"], RunFolder(measured.path).metrics(), strict=True):
        assert sum(row[part] for part in PARTS) == pytest.approx(row["total"])
        assert all(row[part] > 0 for part in PARTS)
        steps = sum(row[part] for part in ("input", "forward", "backward", "optimizer", "average"))
        assert steps == pytest.approx(kept["seconds"], rel=0.2, abs=0.05)
    assert sum(profile["shares"].values()) == pytest.approx(1)


def test_measuring_changes_no_bit(measured, tmp_path):
    plain = neocog.train("digits", out=tmp_path / "run", **CHOICES)
    assert plain.result.profile is None
    assert "profile" not in plain.result.to_dict()
    own, other = results(measured.path), results(tmp_path / "run")
    assert set(own.pop("names")) - set(other.pop("names")) == {"profile.json"}
    assert own == other


def test_a_resumed_training_adds_its_epochs(commands, tmp_path):
    run = tmp_path / "run"
    command = ("train", "digits", "--model", "softmax_regression", "--epochs", "4", "--speed", "exact", "--profile", "--out", run)
    assert commands.run(*command, fault={"file": "metrics.csv", "moment": "renamed", "time": 3}) == -9
    assert [row["epoch"] for row in RunFolder(run).profile()["epochs"]] == [1, 2]
    assert commands.run("resume", run, "--profile") == 0
    assert [row["epoch"] for row in RunFolder(run).profile()["epochs"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("content", ["{", "[]", '{"epochs": []}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "profile.json").write_text(content)
    with pytest.raises(RunError) as caught:
        RunFolder(tmp_path).profile()
    assert str(caught.value) == (
        f"expected: a whole profile.json\nfound: {tmp_path}/profile.json, damaged\nto do: take profile.json away, nothing else needs it"
    )


def test_the_command_prints_a_table_and_json_has_it_when_asked_for(commands, tmp_path):
    command = ("train", "digits", "--model", "softmax_regression", "--epochs", "12", "--speed", "exact", "--profile")
    assert commands.run(*command, "--out", tmp_path / "run", errors=str(tmp_path / "said")) == 0
    lines = (tmp_path / "said").read_text().splitlines()
    start = lines.index("seconds of the training")
    assert lines[start + 1].split() == ["epoch", *PARTS, "total"]
    assert [line.split()[0] for line in lines[start + 2 : start + 14]] == ["1", *map(str, range(4, 13)), "all", "share"]
    assert commands.run(*command, "--json", "--out", tmp_path / "other", errors=str(tmp_path / "answered")) == 0
    answer = json.loads((tmp_path / "answered").read_text().splitlines()[-1])
    assert list(answer["profile"]["shares"]) == list(PARTS)
