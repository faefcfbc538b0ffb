"""What a training is forecast to need."""

import pytest

import neocog
from neocog.run import RunFolder
from neocog.training import forecast
from neocog.training.forecast import Forecast

CONVNET = {"model": "small_convnet", "width": 8, "epochs": 2, "batch_size": 64, "progress": False}


@pytest.mark.parametrize(("seconds", "words"), [(42.4, "42 s"), (61, "1 min 01 s"), (3599.9, "1 h 00 min"), (7384, "2 h 03 min")])
def test_it_is_said_in_words(seconds, words):
    said = Forecast(seconds, 3 * 2**29, 10 * 2**30).describe()
    assert said == f"forecast: {words} to the end, 1.50 GiB more memory at the peak (10.0 GiB free)"


def test_a_training_is_forecast_before_its_first_epoch(tmp_path):
    neocog.train("digits", out=tmp_path / "run", **CONVNET)
    events = {event["event"]: event for event in RunFolder(tmp_path / "run").events()}
    assert events["forecast"]["step"] == 0
    assert events["forecast"]["seconds"] > 0
    kept = 64 * 4 * 8 * 8 * 8  # the first stage's map alone
    assert events["forecast"]["memory"] > kept


def test_a_short_one_and_one_without_gradient_are_not(tmp_path):
    neocog.train("digits", out=tmp_path / "run", **{**CONVNET, "epochs": 1, "batch_size": 256})
    assert "forecast" not in {event["event"] for event in RunFolder(tmp_path / "run").events()}


def test_it_changes_nothing(tmp_path, monkeypatch):
    neocog.train("digits", out=tmp_path / "with", **CONVNET, speed="exact")
    monkeypatch.setattr(forecast, "FEWEST_STEPS", 10**9)
    neocog.train("digits", out=tmp_path / "without", **CONVNET, speed="exact")
    bits = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("with", "without")]
    assert bits[0] == bits[1]


def test_where_memory_is_short_fewer_pictures_pass_at_once_from_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "available_memory", lambda: 1_000_000)
    neocog.train("digits", out=tmp_path / "run", **CONVNET)
    at_once = RunFolder(tmp_path / "run").plan().micro_batch
    assert at_once is not None
    assert at_once <= 32
