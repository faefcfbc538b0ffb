"""What the tests of logs share."""

import os
import shutil

import pytest

from training.loggers.sessions import session

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before any test imports MLflow


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory):
    """A store whose tables are made, which takes MLflow seconds."""
    run = tmp_path_factory.mktemp("store") / "run"
    run.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        _forget_the_person(patch)
        session("mlflow", run, 0, [])
    return run.with_name("mlflow.db")


@pytest.fixture
def run(tmp_path, monkeypatch, _empty_store):
    """The folder of a run, in a folder with an empty store."""
    _forget_the_person(monkeypatch)
    shutil.copy(_empty_store, tmp_path / "mlflow.db")
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def _forget_the_person(patch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        patch.delenv(name, raising=False)
