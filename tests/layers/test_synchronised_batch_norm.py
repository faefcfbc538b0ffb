"""Two processes with a share of the maps each against a plain batch norm over all of them."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from layers import in_two_processes
from neocog.layers import SynchronisedBatchNorm2d, synchronise_batch_norms

SHARES = (3, 2)


def network(dtype=torch.float64, **options):
    torch.manual_seed(1)
    norms = [nn.BatchNorm2d(4, **options), nn.BatchNorm2d(3, **options)]
    for norm in norms:
        if norm.affine:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
    return nn.Sequential(norms[0], nn.Conv2d(4, 3, 3), nn.Tanh(), norms[1]).to(dtype)


def single_scale(**options):
    """A norm alone: of maps of 16 bits, as under autocast, its weights stay float32."""
    return nn.Sequential(nn.BatchNorm2d(4, **options))


def maps(dtype=torch.float64, offset=0.0, memory_format=torch.contiguous_format, side=6):
    numbers = torch.Generator().manual_seed(0)
    drawn = torch.randn(sum(SHARES), 4, side, side, generator=numbers, dtype=torch.float64) * torch.tensor([1, 3, 0.1, 1])[:, None, None]
    return (drawn + offset).to(dtype).contiguous(memory_format=memory_format)


CASES = {
    "double": (network(), maps(), 1e-12),
    "single": (network(torch.float32), maps(torch.float32), 1e-4),
    "channels last": (network(torch.float32), maps(torch.float32, memory_format=torch.channels_last), 1e-4),
    "far from 0": (network(torch.float32), maps(torch.float32, offset=300.0), 2e-3),
    "without scale and shift": (network(affine=False), maps(), 1e-12),
    "without running statistics": (network(track_running_stats=False), maps(), 1e-12),
    "the average over all steps": (network(momentum=None), maps(), 1e-12),
    "16 bits": (single_scale(), maps(torch.bfloat16), 2e-2),
    "one value each": (single_scale().double(), maps(side=1), 1e-12),
    "in evaluation": (network().eval(), maps(), 1e-12),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """By case: those of both processes, and the plain one."""
    folder = tmp_path_factory.mktemp("two")
    pulls = {name: torch.randn(model(images).shape, dtype=torch.float64) for name, (model, images, _) in copy.deepcopy(CASES).items()}
    questions = [(model, images.split(SHARES), pulls[name].to(images.dtype).split(SHARES)) for name, (model, images, _) in CASES.items()]
    torch.save(questions, folder / "questions.pt")
    command = [sys.executable, Path(in_two_processes.__file__)]
    processes = [subprocess.Popen([*command, str(rank), folder], stderr=subprocess.PIPE, text=True) for rank in (0, 1)]
    for process in processes:
        errors = process.communicate(timeout=120)[1]
        assert process.returncode == 0, errors
    both = [torch.load(folder / f"answers-{rank}.pt", weights_only=False) for rank in (0, 1)]
    plain = [in_two_processes.answer(model, images, pulls[name].to(images.dtype)) for name, (model, images, _) in CASES.items()]
    return {name: found for name, *found in zip(CASES, *both, plain, strict=True)}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_have_the_outputs_gradients_and_statistics_of_one(answers, case):
    first, second, plain = answers[case]
    near = {"rtol": CASES[case][2], "atol": CASES[case][2]}
    for what in ("outputs", "of maps", "evaluated"):
        if case == "without running statistics" and what == "evaluated":
            continue  # it normalises by what it sees, each process by its own
        torch.testing.assert_close(torch.cat([first[what], second[what]]), plain[what], **near)
    for name, gradient in plain["of weights"].items():
        torch.testing.assert_close(first["of weights"][name] + second["of weights"][name], gradient, **near)
    for name, buffer in plain["buffers"].items():
        torch.testing.assert_close(first["buffers"][name], buffer, **near)
        assert torch.equal(first["buffers"][name], second["buffers"][name])


def test_a_norm_stays_the_same_object_with_the_same_names():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm2d(2)))
    before, norms, weights = model.state_dict(), [model[1], model[2][0]], list(model.parameters())
    synchronise_batch_norms(model)
    assert [model[1], model[2][0]] == norms
    assert all(type(norm) is SynchronisedBatchNorm2d for norm in norms)
    assert all(own is other for own, other in zip(model.parameters(), weights, strict=True))
    assert list(model.state_dict()) == list(before)
