"""Memory that does not suffice: noticed, and the step done in smaller parts to the same end."""

import json

import pytest
import torch

import neocog
from neocog.engine import Plan
from neocog.errors import Interrupted, SurroundingsError
from neocog.run import RunFolder
from neocog.training import loop, memory
from neocog.training.memory import halved, is_out_of_memory
from training.kills import results

CONVNET = {"model": "small_convnet", "width": 2, "epochs": 2, "batch_size": 128, "speed": "exact", "progress": False}


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."
            ),
            True,
        ),
        (RuntimeError("could not create a memory object"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_it_is_told_from_other_errors(error, answer):
    assert is_out_of_memory(error) is answer


def test_what_the_allocator_really_says_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_pictures_are_halved_down_to_one():
    plan, pictures, seen = Plan(), 10, []
    while pictures > 1:
        plan = halved(plan, pictures)
        pictures = plan.micro_batch
        seen.append(pictures)
    assert seen == [5, 3, 2, 1]
    with pytest.raises(SurroundingsError) as caught:
        halved(plan, 1)
    assert str(caught.value) == (
        "expected: memory for a step with one picture\n"
        "found: not enough\n"
        "to do: choose a smaller image size or network, or close other programs"
    )


@pytest.fixture
def scarce(monkeypatch):
    """Memory for 40 pictures at once, from some step on."""

    def from_step(step):
        def batch_loss(job, batch):
            outputs = loop.forward_train(job.model, batch.images, job.plan)  # statistics of the norms have moved by then
            if job.state.step >= step and len(batch) > 40:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return job.task.loss(job.model, outputs, batch)

        monkeypatch.setattr(loop, "batch_loss", batch_loss)

    return from_step


def test_it_is_as_if_that_many_pictures_had_been_chosen(scarce, tmp_path):
    neocog.train("digits", out=tmp_path / "chosen", **CONVNET, micro_batch=30)
    scarce(0)
    neocog.train("digits", out=tmp_path / "found", **CONVNET)
    chosen, found = results(tmp_path / "chosen"), results(tmp_path / "found")
    assert json.loads((tmp_path / "found" / "plan.json").read_text())["micro_batch"] == 30
    assert found["weights.safetensors"] == chosen["weights.safetensors"]
    assert found["metrics.csv"] == chosen["metrics.csv"]


def test_the_plan_is_recorded_and_resuming_divides_the_same_steps(scarce, commands, tmp_path, monkeypatch):
    scarce(5)
    neocog.train("digits", out=tmp_path / "whole", **CONVNET)
    events = [event for event in RunFolder(tmp_path / "whole").events() if event["event"] == "out of memory"]
    assert [(event["step"], event["micro_batch"]) for event in events] == [(5, 60), (5, 30)]

    def killed(job, rows, accumulate):
        loss = memory.step_within_memory(job, rows, accumulate)
        if job.state.step == 7:
            raise KeyboardInterrupt  # as a kill: no checkpoint is written
        return loss

    monkeypatch.setattr(loop, "step_within_memory", killed)
    with pytest.raises(Interrupted):
        neocog.train("digits", out=tmp_path / "stopped", **CONVNET)
    monkeypatch.undo()  # memory is plenty again; the plan holds all the same
    neocog.resume(tmp_path / "stopped", progress=False)
    whole, stopped = results(tmp_path / "whole"), results(tmp_path / "stopped")
    assert stopped["weights.safetensors"] == whole["weights.safetensors"]
    assert stopped["metrics.csv"] == whole["metrics.csv"]


def test_another_error_is_not_taken_for_it(tmp_path, monkeypatch):
    def broken(job, batch):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(loop, "batch_loss", broken)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        neocog.train("digits", out=tmp_path / "run", **CONVNET)
