"""Logs beside a training: as whole as its metrics.csv, and never in its way."""

import importlib.util
import json
import subprocess
import sys

import pytest

import neocog
from neocog.errors import Interrupted, SurroundingsError, UsageError
from neocog.recipe import Recipe
from neocog.run import RunFolder
from neocog.training import logs
from neocog.training.loggers import LOGGERS, LoggerMember, points
from neocog.training.logs import Logs
from training.kills import Commands, results
from training.loggers.sessions import READERS, mlflow_run

CLOCKS = ("seconds", "images_per_second")
ROWS = [{"epoch": epoch, "step": 6 * epoch, "train/loss": 1 / epoch} for epoch in range(1, 9)]
DIGITS = ("train", "digits", "--model", "softmax_regression", "--epochs", "3", "--batch-size", "256", "--speed", "exact")
LOGGED = (*DIGITS, "--log", "tensorboard", "mlflow")


class Listed:
    """Keeps its rows in a list, and fails when it is told to."""

    def __init__(self, faults):
        self.faults, self.rows, self.best, self.ending, self.calls = faults, [], {}, None, 0

    def _call(self):
        self.calls += 1
        if self.calls in self.faults:
            raise OSError(28, "No space left on device")

    def begin(self, folder, recipe, rows):
        self._call()
        self.rows = list(rows)

    def epoch(self, row):
        self._call()
        self.rows.append(row)

    def end(self, metrics, step):
        self._call()
        self.best = metrics

    def close(self, ending):
        self._call()
        self.ending = ending


class Heard:
    """What a training said."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, name):
        return lambda *said: None

    def message(self, text):
        self.lines.append(text)


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Logs of one member that fails at its calls of these numbers: the member, the logs, what is said, the run's events."""

    def made(*faults):
        member, heard, folder = Listed(faults), Heard(), RunFolder(tmp_path)
        monkeypatch.setitem(LOGGERS._members, "listed", LoggerMember(lambda: member, (), ""))
        return member, Logs(["listed"], folder, heard), heard, folder

    return made


def trained(logs, epochs=8):
    """Epochs in the order in which a training tells of them."""
    rows = []
    with logs:
        logs.follow(Recipe(), rows)
        for row in ROWS[:epochs]:
            rows.append(row)
            logs.follow(Recipe(), rows)
        logs.end({"test/accuracy": 0.9}, 48)


def test_every_epoch_is_logged_once_and_then_the_end(listed):
    member, logs, heard, _ = listed()
    trained(logs)
    assert (member.rows, member.best, member.ending) == (ROWS, {"test/accuracy": 0.9}, "finished")
    assert heard.lines == []


@pytest.mark.parametrize("faults", [(1,), (2,), (4, 5), (9,), (10,), (4, 10)])
def test_a_log_that_fails_is_said_once_and_has_every_epoch_all_the_same(listed, faults):
    member, logs, heard, folder = listed(*faults)
    trained(logs)
    assert member.rows == ROWS
    assert heard.lines == ["--log listed failed, the training goes on: OSError: [Errno 28] No space left on device"]
    assert [event["given_up"] for event in folder.events()] == [False] * len(faults)


def test_a_log_that_fails_three_times_is_given_up(listed):
    member, logs, heard, folder = listed(*range(3, 20))
    trained(logs)
    assert member.calls == 5
    assert len(heard.lines) == 1
    assert [(event["event"], event["log"], event["step"], event["given_up"]) for event in folder.events()] == [
        ("log failed", "listed", 12, False),
        ("log failed", "listed", 18, False),
        ("log failed", "listed", 24, True),
    ]


def test_a_long_reason_is_cut_to_a_line(listed, monkeypatch):
    member, logs, heard, _ = listed()
    monkeypatch.setattr(member, "begin", lambda *arguments: int("x" * 500 + "\nand more"))
    trained(logs, epochs=1)
    (line,) = heard.lines
    assert line.startswith("--log listed failed, the training goes on: ValueError: invalid literal for int()")
    assert len(line) < 260
    assert "\n" not in line


@pytest.mark.parametrize(
    ("error", "ending"),
    [(Interrupted("", "", ""), "stopped"), (KeyboardInterrupt(), "stopped"), (MemoryError(), "failed")],
)
def test_a_log_knows_how_the_training_ended(listed, error, ending):
    member, logs, _, _ = listed()
    with pytest.raises(type(error)), logs:
        raise error
    assert member.ending == ending


def test_an_interruption_within_a_log_is_no_failure_of_it(listed, monkeypatch):
    member, logs, heard, _ = listed()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(member, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(logs)
    assert heard.lines == []


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboard"), ("mlflow", "mlflow"), ("mlflow", "sqlalchemy")])
def test_a_missing_package_is_named_before_anything_is_read(name, package, monkeypatch, tmp_path):
    found = importlib.util.find_spec
    monkeypatch.setattr(logs.importlib.util, "find_spec", lambda asked: None if asked == package else found(asked))
    with pytest.raises(SurroundingsError) as caught:
        neocog.train("digits", out=tmp_path / "run", log=(name,), progress=False)
    assert str(caught.value) == (
        f"expected: the package {package}, which --log {name} needs\nfound: none\nto do: pip install 'neocog[{name}]'"
    )
    assert not (tmp_path / "run").exists()


def test_an_unknown_log_is_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        neocog.train("digits", out=tmp_path / "run", log=("tensorbord",), progress=False)
    assert str(caught.value) == "expected: the name of a log\nfound: 'tensorbord'\nto do: did you mean tensorboard?"
    assert not (tmp_path / "run").exists()


def test_a_training_that_names_no_log_imports_none(tmp_path):
    code = (
        "import sys, neocog\n"
        f"neocog.train('digits', out={str(tmp_path / 'run')!r}, model='softmax_regression', epochs=1, speed='exact', progress=False)\n"
        "print(sorted({'mlflow', 'sqlalchemy', 'alembic', 'tensorboard'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """MLflow is imported once for all of them, as it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_LOGGING_LEVEL", "WARNING")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
        modules = ("mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "torch.utils.tensorboard.summary")
        with Commands(tmp_path_factory.mktemp("cache"), modules) as started:
            yield started


@pytest.fixture(scope="module")
def whole(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert commands.run(*LOGGED, "--out", run) == 0
    return run


@pytest.fixture(scope="module")
def plain(commands, tmp_path_factory):
    run = tmp_path_factory.mktemp("plain") / "run"
    assert commands.run(*DIGITS, "--out", run) == 0
    return run


@pytest.mark.parametrize("name", READERS)
def test_a_log_holds_what_metrics_csv_holds(whole, name):
    read, shown = READERS[name]
    rows = RunFolder.open(whole).metrics()
    best = json.loads((whole / "manifest.json").read_text())["metrics"]
    expected = {curve: [(int(row["step"]), shown(row[curve])) for row in rows] for curve in points(rows[0])}
    assert read(whole) == expected | {f"best/{metric}": [(18, shown(value))] for metric, value in best.items()}


def test_the_store_knows_that_it_has_ended(whole):
    assert mlflow_run(whole)[1].info.status == "FINISHED"


def test_logging_changes_nothing_of_the_training(whole, plain):
    logged, bare = results(whole), results(plain)
    assert {*logged["names"]} - {*bare["names"]} == {"mlflow.json", "tensorboard"}
    for part in (logged, bare):
        part.pop("names")
        part.pop("recipe.toml")
        part["hashes"].pop("recipe.toml")
    assert logged == bare


def test_killed_and_resumed_again_and_again_the_logs_are_those_of_an_unbroken_training(commands, whole, tmp_path):
    run = tmp_path / "run"
    assert commands.run(*LOGGED, "--out", run, fault={"file": "step-", "moment": "half", "time": 2}) == -9
    for fault in ({"call": "validation", "time": 1}, {"file": "metrics.csv", "moment": "renamed", "time": 2}, {"call": "evaluation"}):
        assert commands.run("resume", run, fault=fault) == -9
    assert commands.run("resume", run, fault={"file": "manifest", "moment": "whole"}) == -9
    assert commands.run("resume", run) == 0
    for read, _ in READERS.values():
        killed, unbroken = read(run), read(whole)
        for clock in CLOCKS:
            assert [step for step, _ in killed.pop(clock)] == [step for step, _ in unbroken.pop(clock)]
        assert killed == unbroken
    assert results(run) == results(whole)


def test_a_store_that_cannot_be_reached_is_said_and_the_training_ends_well(commands, tmp_path, monkeypatch):
    run, errors = tmp_path / "run", tmp_path / "errors"
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 100)
    assert commands.run(*DIGITS, "--log", "mlflow", "--out", run, errors=str(errors)) == 0
    said = [line for line in errors.read_text().splitlines() if "--log mlflow failed, the training goes on" in line]
    assert len(said) == 1
    assert (run / "manifest.json").exists()
