"""Checkpoints: read back bit for bit, told from damaged ones, and no more of them than are needed."""

import json
import os
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from neocog.batch import Preprocess
from neocog.errors import RunError, SurroundingsError
from neocog.training.checkpoint import State, latest, prune, read_checkpoint, write_checkpoint

PREPROCESS = Preprocess((8, 8), (8, 8), 1, (0.3,), (0.4,)).to_dict()
PARTS = {
    "model": {
        "weight": torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last),
        "bias": torch.tensor([float("nan"), -0.0, float("inf")]),
        "count": torch.tensor(2**40),
        "used": torch.tensor([True, False]),
    },
    "optimizer": {"weight/exp_avg": torch.full((3,), 1 / 3, dtype=torch.float64), "weight/step": torch.tensor(7.0)},
}


def state(step=5, **more):
    rows = [{"epoch": 1, "val/loss": 0.1 + 0.2, "seconds": 1 / 3}]
    return State(epoch=1, step=step, steps_in_epoch=2, loss_sum=1e-300, pictures=32, seconds=0.1, best=0.5, best_epoch=1, rows=rows, **more)


def written(folder, *steps):
    return [write_checkpoint(folder, state(step), PARTS, PREPROCESS) for step in steps]


def bits(tensors):
    return {name: (tensor.dtype, tensor.shape, tensor.contiguous().numpy().tobytes()) for name, tensor in tensors.items()}


def test_a_place_where_no_folder_can_be_is_named(tmp_path):
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(SurroundingsError) as caught:
        written(tmp_path / "checkpoint", 5)
    assert str(caught.value) == (
        f"expected: a folder to write to\nfound: {tmp_path / 'checkpoint'}: File exists\nto do: choose another folder"
    )


def test_it_is_read_back_to_the_last_bit(tmp_path):
    (path,) = written(tmp_path / "checkpoint", 5)
    assert path.name == "step-000000005.safetensors"
    found = read_checkpoint(path)
    assert found.state == state()
    assert found.preprocess == PREPROCESS
    for part, tensors in PARTS.items():
        assert bits(found.part(part)) == bits(tensors)
    assert found.part("ema") == {}


def test_a_state_that_was_never_validated_is_read_back(tmp_path):
    path = write_checkpoint(tmp_path, State(), PARTS, PREPROCESS)
    assert read_checkpoint(path).state == State()


DAMAGES = {
    "cut short": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "changed in one bit": lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
    "without a checksum": lambda path: save_file(load_file(path), path),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_refused_and_the_one_before_it_used(tmp_path, damage):
    _, newest = written(tmp_path, 5, 9)
    DAMAGES[damage](newest)
    with pytest.raises(RunError) as caught:
        read_checkpoint(newest)
    assert caught.value.expected == "a whole checkpoint"
    assert str(newest) in caught.value.found
    assert caught.value.remedy == "take the file away; the one before it is then used"
    found, faults = latest(tmp_path)
    assert found.state.step == 5
    assert faults == [caught.value.found]


def test_a_changed_state_shows_in_the_checksum(tmp_path):
    (path,) = written(tmp_path, 5)
    facts = {"state": asdict(state(6)), "preprocess": PREPROCESS, "sha256": "0" * 64}
    save_file(load_file(path), path, {"neocog": json.dumps(facts)})
    with pytest.raises(RunError) as caught:
        read_checkpoint(path)
    assert str(caught.value) == (
        f"expected: a whole checkpoint\nfound: {path}, whose content does not match its checksum\n"
        "to do: take the file away; the one before it is then used"
    )


def test_where_none_is_whole_that_is_said(tmp_path):
    for path in written(tmp_path, 5, 9):
        DAMAGES["cut short"](path)
    with pytest.raises(RunError) as caught:
        latest(tmp_path)
    assert caught.value.expected == "a whole checkpoint"
    assert "step-000000009.safetensors" in caught.value.found
    assert caught.value.remedy == "restore the checkpoint folder from a copy, or train anew into another folder"


def test_where_there_is_none_there_is_none(tmp_path):
    assert latest(tmp_path / "none") == (None, [])


def test_a_full_disk_leaves_the_older_ones(tmp_path, monkeypatch):
    (before,) = written(tmp_path, 5)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("neocog.files.os.fsync", full)
    with pytest.raises(SurroundingsError, match="found: No space left on device"):
        written(tmp_path, 9)
    assert list(tmp_path.iterdir()) == [before]
    assert latest(tmp_path)[0].state.step == 5


@pytest.mark.parametrize(
    ("there", "ends", "keep_every", "kept"),
    [
        ([3], [], 0, [3]),
        ([1, 2, 3], [], 0, [2, 3]),
        ([6], [6], 0, [6]),
        ([6, 7], [6], 0, [6, 7]),
        ([6, 7, 8, 9], [6], 0, [6, 8, 9]),
        ([6, 8, 9, 12], [6, 12], 0, [6, 12]),
        ([6, 12, 18], [6, 12, 18], 0, [12, 18]),
        ([6, 12, 18, 20], [6, 12, 18], 0, [12, 18, 20]),
        ([6, 12, 18, 24, 30, 36], [6, 12, 18, 24, 30, 36], 2, [12, 24, 30, 36]),
        ([6, 12, 18, 24], [6, 12, 18, 24], 1, [6, 12, 18, 24]),
    ],
)
def test_what_is_kept(tmp_path, there, ends, keep_every, kept):
    for step in there:
        (tmp_path / f"step-{step:09d}.safetensors").touch()
    (tmp_path / "mine.safetensors").touch()
    prune(tmp_path, {step: number for number, step in enumerate(ends, start=1)}, keep_every)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.safetensors", *(f"step-{step:09d}.safetensors" for step in kept)]


@pytest.mark.parametrize(
    ("network", "what"),
    [
        (torch.nn.Linear(3, 2), "with bias of shape [3], not [2]"),
        (torch.nn.Sequential(torch.nn.Linear(2, 3)), "without 0.weight"),
        (torch.nn.Linear(2, 3, bias=False), "with bias, which that has not"),
    ],
)
def test_one_of_another_network_is_refused(tmp_path, network, what):
    tensors = {"weight": torch.zeros(3, 2) if "bias of" not in what else torch.zeros(2, 3), "bias": torch.zeros(3)}
    found = read_checkpoint(write_checkpoint(tmp_path, state(), {"model": tensors}, PREPROCESS))
    with pytest.raises(RunError) as caught:
        found.restore("model", network)
    assert str(caught.value) == (
        f"expected: a checkpoint of the recipe's network\nfound: {tmp_path}/step-000000005.safetensors {what}\n"
        "to do: put recipe.toml and checkpoints of one run together again, or train anew into another folder"
    )


def test_one_of_the_same_network_is_given_to_it(tmp_path):
    network, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    read_checkpoint(write_checkpoint(tmp_path, state(), {"model": network.state_dict()}, PREPROCESS)).restore("model", other)
    assert bits(other.state_dict()) == bits(network.state_dict())
