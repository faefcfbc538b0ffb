"""A training that is stopped by a signal and resumed equals one that was not stopped, bit for bit, whatever is trained and how."""

import itertools
import os
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import neocog
from neocog.errors import Interrupted
from neocog.models import MODELS, Learner, create_model, folded_norms, read_state, write_weights
from neocog.optim import OPTIMIZERS
from neocog.training import loop
from training.kills import MLP, results

STEPS = 6  # an epoch


def train(commands, run, command, **order):
    return commands.run(*command, "--out", run, **order)


def stopped_and_resumed(commands, folder, command, **fault):
    """The results without and with a stop."""
    whole, stopped = folder / "whole" / "run", folder / "stopped" / "run"
    assert train(commands, whole, command) == 0
    assert train(commands, stopped, command, fault={"signal": "SIGTERM", **fault}) == 130
    assert commands.run("resume", stopped) == 0
    return results(whole), results(stopped)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_where_it_stopped(commands, tmp_path, optimizer):
    steps = 1 if OPTIMIZERS[optimizer].full_batch else STEPS
    whole, stopped = stopped_and_resumed(commands, tmp_path, (*MLP, "--optimizer", optimizer), call="step", time=steps + (steps + 1) // 2)
    assert stopped == whole


OTHERWISE = {
    "averaged weights": ("--ema", "0.9"),
    "averaged weights with norms of their own": ("--model", "small_convnet", "--width", "4", "--ema", "0.9", "--renew-norms", "300"),
    "weights that look ahead": ("--lookahead", "4", "--clip-gradient", "0.5"),
    "gradients added up": ("--micro-batch", "100"),
    "a schedule of steps after a warm-up": ("--schedule", "step", "--warmup", "0.2"),
    "mixing and noise": ("--augment", "rotation", "gaussian_noise", "cutout", "cutmix"),
    "smoothed and weighed labels": ("--label-smoothing", "0.1", "--class-weights", *map(str, range(1, 11))),
    "checkpoints kept": ("--keep-every", "1"),
    "adversarial examples": ("--adversarial", "pgd", "--epsilon", "8/255", "--attack-steps", "2", "--micro-batch", "100"),
    "adversarial examples in one step": (
        *("--model", "small_convnet", "--width", "4", "--dropout", "0.2", "--augment", "pad_and_crop", "mixup"),
        *("--adversarial", "fgsm", "--epsilon", "0.1", "--ema", "0.9"),
    ),
}


def command_of(choice):
    """The usual training, without the network where another is chosen."""
    return (*MLP[:2], *MLP[6:]) if "--model" in OTHERWISE[choice] else MLP


@pytest.mark.parametrize("choice", OTHERWISE)
def test_every_choice_goes_on_where_it_stopped(commands, tmp_path, choice):
    whole, stopped = stopped_and_resumed(commands, tmp_path, (*command_of(choice), *OTHERWISE[choice]), call="step", time=STEPS + 3)
    assert stopped == whole


@pytest.mark.parametrize(
    ("call", "time"),
    [("step", 1), ("step", STEPS), ("step", STEPS + 1), ("batch", 1), ("validation", 2), ("step", 3 * STEPS), ("batch", 3)],
)
def test_it_does_not_matter_when_the_signal_comes(commands, tmp_path, call, time):
    whole, stopped = stopped_and_resumed(commands, tmp_path, MLP, call=call, time=time)
    assert stopped == whole


def test_stopping_again_and_again_changes_nothing(commands, tmp_path):
    whole, stopped = tmp_path / "whole" / "run", tmp_path / "stopped" / "run"
    assert train(commands, whole, MLP) == 0
    assert train(commands, stopped, MLP, fault={"call": "step", "time": 2, "signal": "SIGINT"}) == 130
    for time in (1, 2, 3, 4, 1):
        assert commands.run("resume", stopped, fault={"call": "step", "time": time, "signal": "SIGINT"}) == 130
    assert commands.run("resume", stopped) == 0
    assert results(stopped) == results(whole)


@pytest.fixture
def photos(tmp_path):
    """Two classes of 16 pictures."""
    numbers = np.random.default_rng(0)
    for name in ("dark", "light"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(16):
            pixels = numbers.integers(0, 128, (36, 40, 3), dtype=np.uint8) + (128 if name == "light" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{index}.png")
    return tmp_path / "photos"


def test_folded_norms_stay_folded_across_a_stop(commands, tmp_path, photos):
    torch.manual_seed(0)
    model = create_model("mobilenet_v2", num_classes=5)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(1).sub_(module.eps)
    write_weights(tmp_path / "folded.safetensors", model.state_dict(), {})
    command = ("train", photos, "--model", "mobilenet_v2", "--weights", tmp_path / "folded.safetensors", "--image-size", "32x32")
    command = (*command, "--epochs", "2", "--batch-size", "8", "--ema", "0.5", "--speed", "exact")
    whole, stopped = stopped_and_resumed(commands, tmp_path, command, call="step", time=5)
    assert stopped == whole
    norms = folded_norms(neocog.open_run(tmp_path / "stopped" / "run").trained.model)
    assert len(norms) == sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())


def test_weights_of_another_size_than_the_architectures_are_gone_on_with(commands, tmp_path, photos):
    """The size is then the weights' own, before and after the stop."""
    first = ("train", photos, "--width", "2", "--image-size", "24x20", "--epochs", "1", "--speed", "exact")
    assert train(commands, tmp_path / "first", first) == 0
    weights = tmp_path / "first" / "weights.safetensors"
    command = ("train", photos, "--model", "small_convnet", "--width", "2", "--weights", weights)
    command = (*command, "--epochs", "2", "--batch-size", "8", "--speed", "exact")
    whole, stopped = stopped_and_resumed(commands, tmp_path, command, call="step", time=3)
    assert stopped == whole
    assert read_state(tmp_path / "stopped" / "run" / "weights.safetensors").preprocess.size == (24, 20)


def test_a_run_that_was_copied_elsewhere_resumes_and_evaluates_there(commands, tmp_path):
    whole, stopped, copy = tmp_path / "whole" / "run", tmp_path / "stopped" / "run", tmp_path / "copy"
    assert train(commands, whole, MLP) == 0
    assert train(commands, stopped, MLP, fault={"call": "step", "time": 9, "signal": "SIGTERM"}) == 130
    shutil.copytree(stopped, copy)
    shutil.rmtree(stopped)
    assert commands.run("resume", copy) == 0
    assert results(copy) == results(whole)
    predictions = (copy / "predictions.parquet").read_bytes()
    assert commands.run("evaluate", copy) == 0
    assert (copy / "predictions.parquet").read_bytes() == predictions


def test_a_run_that_has_ended_is_left_as_it_is(commands, tmp_path):
    run = tmp_path / "run"
    assert train(commands, run, MLP) == 0
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"}
    assert commands.run("resume", run) == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"} == before


class Means(Learner):
    """The nearest class mean: what it has learnt is sums, kept as buffers, with a draw in every step."""

    def __init__(self, spec):
        stages = {"flat": torch.nn.Flatten()}
        width = spec.in_channels * spec.preprocess.size[0] * spec.preprocess.size[1]
        head = torch.nn.Linear(width, spec.num_classes)
        super().__init__(stages, head, channels=(width,), preprocess=spec.preprocess, num_classes=spec.num_classes)
        self.register_buffer("sums", torch.zeros(spec.num_classes, width))
        self.register_buffer("counts", torch.full((spec.num_classes,), 1e-3))

    def forward(self, images):
        means = self.sums / self.counts[:, None]
        return -torch.cdist(images.flatten(1), means)

    @torch.no_grad()
    def update(self, batch, generator):
        kept = torch.rand(len(batch), generator=generator) < 0.9
        images, classes = self.preprocess.normalise(batch.images).flatten(1)[kept], batch.targets.classes[kept]
        self.sums.index_add_(0, classes, images)
        self.counts.index_add_(0, classes, torch.ones(len(classes)))
        return {"kept": float(kept.sum()), "loss": float((self(batch.images).argmax(1) != batch.targets.classes).float().mean())}


def test_a_network_that_does_not_learn_by_gradient_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS._members, "means", replace(MODELS["softmax_regression"], name="means", build=Means, traits=frozenset()))
    choices = {"model": "means", "epochs": 2, "batch_size": 300, "ema": 0.5, "progress": False}
    whole = neocog.train("digits", out=tmp_path / "whole" / "run", **choices)
    assert whole.metrics["test/accuracy"] > 0.7
    step, calls = loop.train_step, itertools.count()

    def interrupted(job, rows, batch_of):
        if next(calls) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(job, rows, batch_of)

    monkeypatch.setattr(loop, "train_step", interrupted)
    with pytest.raises(Interrupted):
        neocog.train("digits", out=tmp_path / "stopped" / "run", **choices)
    neocog.resume(tmp_path / "stopped" / "run", progress=False)
    assert results(tmp_path / "stopped" / "run") == results(tmp_path / "whole" / "run")
