"""MLflow's store: where it is, what it knows of a run, and that nothing else is touched."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from neocog.training.loggers import LOGGERS
from neocog.training.loggers.mlflow import store
from training.loggers.sessions import READERS, RECIPE, ROWS, expected, mlflow_run, session

curves = READERS["mlflow"][0]


def test_the_store_is_beside_the_run_or_where_the_person_says(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store(tmp_path / "run") == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    assert store(tmp_path / "run") == "http://tracking.example"


def test_runs_side_by_side_share_a_store(run):
    other = run.with_name("other")
    other.mkdir()
    session("mlflow", run, 0, [1])
    session("mlflow", other, 0, [1])
    client = MlflowClient(tracking_uri=store(run))
    experiment = client.get_experiment_by_name("neocog")
    assert {found.info.run_name for found in client.search_runs([experiment.experiment_id])} == {"run", "other"}


def test_store_and_experiment_may_be_chosen(run, tmp_path, monkeypatch):
    (tmp_path / "mlflow.db").rename(tmp_path / "elsewhere.db")
    chosen = f"sqlite:///{tmp_path}/elsewhere.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", chosen)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ants and bees")
    session("mlflow", run, 0, [1])
    session("mlflow", run, 1, [2])
    client, found = mlflow_run(run, chosen)
    assert client.get_experiment(found.info.experiment_id).name == "ants and bees"
    assert not (tmp_path / "mlflow.db").exists()


def test_the_recipe_is_its_parameters(run):
    session("mlflow", run, 0, [1])
    _, found = mlflow_run(run)
    assert found.data.params["model"] == "mlp"
    assert found.data.params["model.widths"] == "(12, 7)"
    assert found.data.params["epochs"] == "4"
    assert found.data.params["learning_rate"] == "None"


@pytest.mark.parametrize(("ending", "status"), [("finished", "FINISHED"), ("stopped", "KILLED"), ("failed", "FAILED")])
def test_the_store_knows_how_it_ended(run, ending, status):
    logger = LOGGERS["mlflow"].open()
    logger.begin(run, RECIPE, [])
    logger.epoch(ROWS[0])
    assert mlflow_run(run)[1].info.status == "RUNNING"
    logger.close(ending)
    assert mlflow_run(run)[1].info.status == status
    LOGGERS["mlflow"].open().begin(run, RECIPE, ROWS[:1])
    assert mlflow_run(run)[1].info.status == "RUNNING"


class Killed(BaseException):
    """What a SIGKILL comes to within one process."""


@pytest.mark.parametrize("call", ["create_run", "log_batch"])
def test_a_kill_while_the_run_is_made_leaves_one_run(run, call, monkeypatch):
    def killed(*arguments, **named):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, killed)
        with pytest.raises(Killed):
            session("mlflow", run, 0, [1])
    session("mlflow", run, 0, [1, 2, 3, 4])
    assert curves(run) == expected("mlflow")
    assert mlflow_run(run)[1].data.params["model"] == "mlp"


def test_a_run_that_was_copied_elsewhere_is_whole_there(run, tmp_path):
    copy = tmp_path / "elsewhere" / "run"
    copy.parent.mkdir()
    shutil.copy(tmp_path / "mlflow.db", copy.parent)
    session("mlflow", run, 0, [1, 2])
    shutil.copytree(run, copy)
    session("mlflow", copy, 2, [3, 4])
    assert curves(copy) == expected("mlflow")
    assert curves(run)["train/loss"] == expected("mlflow")["train/loss"][:2]


def test_a_mark_that_was_damaged_is_not_passed_over(run):
    session("mlflow", run, 0, [1])
    (run / "mlflow.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        session("mlflow", run, 1, [2])


@pytest.mark.slow
def test_nothing_is_left_in_the_working_folder_nothing_said_and_nothing_reported(run, tmp_path):
    code = (
        "from pathlib import Path\n"
        "from neocog.recipe import Recipe\n"
        "from neocog.training.loggers import LOGGERS\n"
        "logger = LOGGERS['mlflow'].open()\n"
        f"logger.begin(Path({str(run)!r}), Recipe(), {ROWS!r})\n"
        "logger.end({'test/accuracy': 0.8}, 24)\n"
        "logger.close('finished')\n"
        "from mlflow.telemetry import get_telemetry_client\n"
        "print(get_telemetry_client())\n"
    )
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "home").mkdir()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")} | {"HOME": str(tmp_path / "home")}
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path, env=plain)
    assert (told.stdout, told.stderr) == ("None\n", "")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["home", "mlflow.db", "run", "run/mlflow.json"]
    assert curves(run) == expected("mlflow", best=True)
