"""A training in several processes equals one in a single process but for rounding, and survives the loss of one of them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from neocog.errors import DataError
from neocog.machine import launched_as
from neocog.training.ranks import ALONE, Ranks, is_lost
from training.kills import results
from training.processes import Processes, free_port

CONVNET = ("train", "digits", "--model", "small_convnet", "--width", "4", "--epochs", "2", "--batch-size", "128", "--speed", "exact")
EXACT = ("--optimizer", "sgd_momentum", "--learning-rate", "0.05", "--dropout", "0", "--augment", "pad_and_crop")
"""Without draws that depend on the process."""

DRAWN = (
    *CONVNET,
    *("--dropout", "0.2", "--augment", "pad_and_crop", "mixup", "--ema", "0.9", "--renew-norms", "200", "--micro-batch", "40"),
)
STEPS = 12  # an epoch


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    with Processes(tmp_path_factory.mktemp("cache-of-processes")) as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(processes, tmp_path_factory):
    """What two processes leave that nobody stopped."""
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    assert processes.run(*DRAWN, "--out", run) == [0, 0]
    return results(run)


def column(run, name):
    return [float(row[name]) for row in csv.DictReader((run / "metrics.csv").read_text().splitlines())]


ALWAYS = "weighted, smoothed and clipped"
OTHERWISE = {
    "plain": (),
    ALWAYS: ("--class-weights", *map(str, range(1, 11)), "--label-smoothing", "0.1", "--clip-gradient", "0.5"),
    "averaged": ("--ema", "0.9", "--renew-norms", "256"),
    "looking ahead": ("--lookahead", "3"),
}


@pytest.mark.parametrize("choice", [ALWAYS, *(pytest.param(choice, marks=pytest.mark.slow) for choice in OTHERWISE if choice != ALWAYS)])
def test_two_processes_have_the_curve_of_one(processes, tmp_path, choice):
    one, two = tmp_path / "one" / "run", tmp_path / "two" / "run"
    command = (*CONVNET, *EXACT, *OTHERWISE[choice])
    assert processes.run(*command, "--out", one, world=1) == [0]
    assert processes.run(*command, "--out", two) == [0, 0]
    assert column(two, "train/loss") == pytest.approx(column(one, "train/loss"), rel=1e-5)
    assert column(two, "val/loss") == pytest.approx(column(one, "val/loss"), rel=1e-4)
    weights, others = load_file(one / "weights.safetensors"), load_file(two / "weights.safetensors")
    assert weights.keys() == others.keys()
    for name, tensor in weights.items():  # most are equal to 1e-6, but a rounding may tip a maximum of a pooling to another place
        torch.testing.assert_close(others[name], tensor, rtol=1e-2, atol=2e-3)


@pytest.mark.slow
def test_several_processes_leave_what_one_leaves(processes, undisturbed, tmp_path):
    run = tmp_path / "run"
    assert processes.run(*DRAWN, "--out", run, world=1) == [0]
    alone = results(run)
    assert undisturbed["names"] == alone["names"]
    assert undisturbed["recipe.toml"] == alone["recipe.toml"]
    assert undisturbed["splits.csv"] == alone["splits.csv"]
    plans = [json.loads(left["plan.json"]) for left in (alone, undisturbed)]
    assert [plan.pop("world") for plan in plans] == [1, 2]
    assert plans[0] == plans[1]


@pytest.mark.slow
def test_equal_trainings_in_two_processes_are_equal_in_every_bit(processes, undisturbed, tmp_path):
    run = tmp_path / "run"
    assert processes.run(*DRAWN, "--out", run) == [0, 0]
    assert results(run) == undisturbed


@pytest.mark.parametrize(
    ("rank", "call", "time"),
    [
        (1, "step", STEPS + 3),
        *(pytest.param(*point, marks=pytest.mark.slow) for point in ((0, "step", 2), (0, "batch", 1), (1, "step", 2 * STEPS))),
    ],
)
def test_a_signal_to_one_process_stops_all_after_the_same_step(processes, undisturbed, tmp_path, rank, call, time):
    run = tmp_path / "run"
    fault = {"call": call, "time": time, "signal": "SIGTERM"}
    assert processes.run(*DRAWN, "--out", run, faults={rank: fault}, errors=tmp_path) == [130, 130]
    assert "expected a training to its end" in (tmp_path / "0.txt").read_text()
    assert (tmp_path / "1.txt").read_text() == ""
    assert processes.run("resume", run) == [0, 0]
    assert results(run) == undisturbed


@pytest.mark.parametrize("time", [pytest.param(3, marks=pytest.mark.slow), STEPS + 4])
def test_when_a_process_dies_the_lead_saves_the_last_whole_step_and_says_so(processes, undisturbed, tmp_path, time):
    run = tmp_path / "run"
    assert processes.run(*DRAWN, "--out", run, faults={1: {"call": "step", "time": time}}, errors=tmp_path) == [4, -9]
    assert (tmp_path / "0.txt").read_text().splitlines()[-3:] == [
        "neocog: expected all processes of the training to last until its end",
        "found one of them has ended; torchrun says which",
        f"to do: torchrun --nproc-per-node 2 -m neocog resume {run}",
    ]
    assert (run / "checkpoint" / f"step-{time - 1:09d}.safetensors").exists()
    assert processes.run("resume", run) == [0, 0]
    assert results(run) == undisturbed


@pytest.mark.slow
def test_when_the_lead_dies_the_others_end_too(processes, undisturbed, tmp_path):
    run = tmp_path / "run"
    codes = processes.run(*DRAWN, "--out", run, faults={0: {"call": "step", "time": STEPS + 4}}, errors=tmp_path)
    assert codes == [-9, 4]
    assert "found one of them has ended" in (tmp_path / "1.txt").read_text()
    assert processes.run("resume", run) == [0, 0]
    assert results(run) == undisturbed


@pytest.mark.slow
def test_a_run_goes_on_in_as_many_processes_as_it_was_begun_with(processes, tmp_path):
    run = tmp_path / "run"
    stop = {"call": "step", "time": 2, "signal": "SIGTERM"}
    assert processes.run(*CONVNET, "--out", run, faults={0: stop}) == [130, 130]
    assert processes.run("resume", run, world=1, errors=tmp_path) == [2]
    assert (tmp_path / "0.txt").read_text().splitlines()[-3:] == [
        "neocog: expected 2 processes, as the run was begun with",
        "found 1",
        f"to do: torchrun --nproc-per-node 2 -m neocog resume {run}",
    ]
    alone = tmp_path / "alone" / "run"
    assert processes.run(*CONVNET, "--out", alone, world=1, faults={0: stop}) == [130]
    assert processes.run("resume", alone) == [2, 2]


REFUSED = {
    "learners": (
        ("--model", "perceptron"),
        "neocog: expected a training by steps of gradient, for 2 processes to share",
        "found perceptron",
        "to do: train in one process",
    ),
    "full batches": (
        ("--model", "softmax_regression", "--optimizer", "gradient_descent"),
        "neocog: expected a training by steps of gradient, for 2 processes to share",
        "found gradient_descent",
        "to do: train in one process",
    ),
    "single pictures": (
        ("--model", "softmax_regression", "--batch-size", "1"),
        "neocog: expected at least 2 pictures a step, one for each process",
        "found 1",
        "to do: choose a larger --batch-size",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_shared_is_refused(processes, tmp_path, what):
    flags, *lines = REFUSED[what]
    assert processes.run("train", "digits", *flags, "--out", tmp_path / "run", errors=tmp_path) == [2, 2]
    assert (tmp_path / "0.txt").read_text().splitlines() == lines


def test_what_the_lead_finds_wrong_it_alone_says(processes, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    assert processes.run("train", "digits", "--out", tmp_path / "full", errors=tmp_path) == [2, 2]
    assert "found " + str(tmp_path / "full") + ", which holds letter.txt" in (tmp_path / "0.txt").read_text()
    assert (tmp_path / "1.txt").read_text() == ""
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_a_training_that_diverges_does_so_everywhere(processes, tmp_path):
    command = (*CONVNET, "--optimizer", "sgd", "--learning-rate", "1e30", "--schedule", "constant")
    assert processes.run(*command, "--out", tmp_path / "run", errors=tmp_path) == [5, 5]
    assert "expected a loss that is a number" in (tmp_path / "0.txt").read_text()
    assert (tmp_path / "1.txt").read_text() == ""


@pytest.mark.parametrize(("world", "rows", "at_once"), [(2, 7, 100), (2, 7, 2), (2, 7, 1), (3, 100, 8), (4, 4, 1), (3, 2, 1), (1, 7, 3)])
def test_processes_share_pictures_in_equally_many_parts(world, rows, at_once):
    pictures = torch.randperm(rows, generator=torch.Generator().manual_seed(0))
    shares = [Ranks(rank, world).parts(pictures, at_once) for rank in range(world)]
    assert len({len(parts) for parts in shares}) == 1
    if rows < world:
        assert shares == [[]] * world
        return
    assert torch.equal(torch.cat([part for parts in zip(*shares, strict=True) for part in parts]), pictures)
    sizes = [len(part) for parts in shares for part in parts]
    assert min(sizes) >= 1
    assert max(sizes) <= (at_once if at_once > 1 or world == 1 else 2)


def test_one_process_asks_nobody():
    model = torch.nn.Linear(1, 1)
    model.weight.grad = torch.ones(1, 1)
    ALONE.add_up_gradients(model)
    ALONE.share_state(model)
    assert model.weight.grad.item() == 1
    assert ALONE.lead
    assert ALONE.led(lambda: 3) == 3
    assert ALONE.add_up([1.0, 2.0]) == [1.0, 2.0]
    assert [ALONE.agree(wish) for wish in (True, False)] == [True, False]


def test_the_place_is_told_from_what_torchrun_sets(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    assert launched_as() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert launched_as() == (0, 1)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    assert launched_as() == (1, 4)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert launched_as() == (0, 1)


def test_a_process_with_other_pictures_is_refused(monkeypatch):
    monkeypatch.setattr(Ranks, "led", lambda ranks, work: "those of the lead")
    Ranks(1, 2).require_same("those of the lead", "pictures and splits")
    with pytest.raises(DataError) as caught:
        Ranks(1, 2).require_same("others", "pictures and splits")
    assert str(caught.value) == (
        "expected: the same pictures and splits in every process\nfound: other ones in process 1\nto do: give every machine the same files"
    )


WITHOUT_NORMS = (*DRAWN[:-6], "--norm", "none", "--micro-batch", "40")
SHORT = {1: [{"call": "loss", "time": 2 * 4 + 1, "signal": "MEMORY"}]}
"""Two parts a step: in the first of the fifth the second process finds no memory."""


def test_where_memory_is_short_in_one_process_all_do_the_step_again_in_smaller_parts(processes, tmp_path):
    run = tmp_path / "run"
    assert processes.run(*WITHOUT_NORMS, "--out", run, faults=SHORT, errors=tmp_path) == [0, 0]
    said = "memory is short: from step 5 on 20 pictures at once"
    assert [(tmp_path / f"{rank}.txt").read_text().count(said) for rank in (0, 1)] == [1, 0]
    assert json.loads((run / "plan.json").read_text())["micro_batch"] == 20
    events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [(event["step"], event["micro_batch"]) for event in events if event["event"] == "out of memory"] == [(4, 20)]
    stopped = tmp_path / "stopped" / "run"
    faults = {1: [*SHORT[1], {"call": "step", "time": STEPS + 3, "signal": "SIGTERM"}]}
    assert processes.run(*WITHOUT_NORMS, "--out", stopped, faults=faults) == [130, 130]
    assert processes.run("resume", stopped) == [0, 0]
    assert results(stopped) == results(run)


def test_smaller_parts_in_several_processes_leave_the_curve_as_it_is(processes, tmp_path):
    one, two = tmp_path / "one" / "run", tmp_path / "two" / "run"
    command = (*CONVNET, *EXACT, "--norm", "none", "--epochs", "1")
    assert processes.run(*command, "--out", one, world=1) == [0]
    assert processes.run(*command, "--out", two, faults={0: {"call": "loss", "time": 3, "signal": "MEMORY"}}) == [0, 0]
    assert json.loads((two / "plan.json").read_text())["micro_batch"] == 32
    assert column(two, "train/loss") == pytest.approx(column(one, "train/loss"), rel=1e-5)
    assert column(two, "val/loss") == pytest.approx(column(one, "val/loss"), rel=1e-4)


def test_where_batch_norms_wait_for_all_a_process_without_memory_says_what_to_do(processes, tmp_path):
    run = tmp_path / "run"
    assert processes.run(*DRAWN, "--out", run, faults=SHORT, errors=tmp_path) == [4, 4]
    assert (tmp_path / "1.txt").read_text().splitlines()[-3:] == [
        "neocog: expected memory for a step in every process",
        "found none left in process 1",
        "to do: train anew with fewer pictures at once, as --micro-batch 20, or in fewer processes",
    ]
    assert "found one of them has ended; torchrun says which" in (tmp_path / "0.txt").read_text()
    assert (run / "checkpoint" / "step-000000004.safetensors").exists()


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:4242"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("closed by peer"), False),
    ],
)
def test_a_lost_process_is_told_from_other_errors(error, answer):
    assert is_lost(error) is answer


def torchrun(folder, *arguments):
    """The command line in two processes, as a person gives it."""
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port()), "-m", "neocog")
    environment = {**os.environ, "NEOCOG_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    return subprocess.Popen(
        [sys.executable, *launcher, *map(str, arguments)],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_torchrun_trains_and_one_process_answers(tmp_path):
    command = ("train", "digits", "--model", "softmax_regression", "--epochs", "1", "--speed", "exact", "--json")
    started = torchrun(tmp_path, *command)
    answer, errors = started.communicate(timeout=120)
    assert started.returncode == 0, errors
    facts = json.loads(answer)
    assert facts["plan"]["world"] == 2
    assert facts["run"] == str(Path("runs") / "digits-softmax_regression-1")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["digits-softmax_regression-1"]
    assert errors.count(" to train on, ") == 1


def until(there):
    """Wait until a file matches."""
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("struck", "number", "said"), [("1", signal.SIGKILL, "found one of them has ended"), (None, signal.SIGINT, "SIGINT at")]
)
def test_torchrun_ends_and_the_run_goes_on(tmp_path, struck, number, said):
    """A process is killed, or a person presses Ctrl-C."""
    whole, run = tmp_path / "whole" / "run", tmp_path / "run"
    command = (*DRAWN, "--epochs", "8", "--out")
    first = torchrun(tmp_path, *command, whole)
    errors = first.communicate(timeout=240)[1]
    assert first.returncode == 0, errors
    started = torchrun(tmp_path, *command, run)
    until(lambda: any(run.glob("checkpoint/*.safetensors")))
    ranks = {process.environ()["RANK"]: process for process in psutil.Process(started.pid).children(recursive=True)}
    (ranks[struck] if struck else started).send_signal(number)
    errors = started.communicate(timeout=60)[1]
    assert started.returncode != 0
    assert said in errors
    assert not (run / "manifest.json").exists()
    again = torchrun(tmp_path, "resume", run)
    errors = again.communicate(timeout=240)[1]
    assert again.returncode == 0, errors
    assert results(run) == results(whole)
