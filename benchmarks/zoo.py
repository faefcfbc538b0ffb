"""A training step of every architecture that torchvision has too: ours against torchvision's module.

    uv run python benchmarks/zoo.py [NAME ...] [--rounds 9] [--batch-size 8] [--out docs/benchmarks/zoo.json]

Both networks of a pair live in one process, are computed under one plan (bfloat16, channels last) with one
optimizer, and step in turn; which one begins alternates. The ratio is the median of the rounds' ratios of
seconds, ours to theirs: under 1 ours is faster. One round before the first is not counted.

Beside it, how long each of all architectures takes to build with its initial weights: the median of three.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision
from kept import keep, measured_on
from torch import nn
from torch.nn import functional

from neocog.engine import Plan, prepare
from neocog.machine import usable_cores
from neocog.models import MODELS, create_model

RATE = 1e-4
BUILT = 3  # times
GOAL = 1.05  # seconds of ours to seconds of theirs, at most


def main() -> None:
    """Measure, print a line for each architecture, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of architectures; all that torchvision has without any")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    for name in arguments.names or shared_names():
        results[name] = measure(name, arguments.rounds, arguments.batch_size)
        found = results[name]
        verdict = "" if found["ratio"] <= GOAL else f"  above {GOAL}"
        print(f"{name:20} {found['ours']:7.3f} s {found['theirs']:7.3f} s  {found['ratio']:.3f}{verdict}", flush=True)
    if arguments.out:
        choices = {"rounds": arguments.rounds, "batch_size": arguments.batch_size}
        building = {name: seconds_to_build(name) for name in MODELS.names()}
        keep(arguments.out, {**measured_on(), **choices, "results": results, "building": building})


def shared_names() -> list[str]:
    """The architectures that both have."""
    theirs = set(torchvision.models.list_models(module=torchvision.models))
    return [name for name in MODELS.names() if name in theirs]


def measure(name: str, rounds: int, batch_size: int) -> dict[str, float]:
    """Median seconds of a step of both, and the median of the rounds' ratios."""
    plan = Plan(layout="channels_last", precision="bfloat16", threads=usable_cores())
    torch.set_num_threads(plan.threads)
    entry = MODELS[name]
    images = torch.randn(batch_size, 3, *entry.input_size).to(memory_format=torch.channels_last)
    labels = torch.arange(batch_size)
    ours = prepare(create_model(name), plan).train()
    theirs = prepare(foreign(name), plan).train()
    sides = {
        "ours": stepper(ours, ours.forward_train, images, labels),
        "theirs": stepper(theirs, lambda pixels: outputs(theirs(pixels)), images, labels),
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        for side in list(sides)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            sides[side]()
            seconds[side].append(time.perf_counter() - started)
    counted = {side: times[1:] for side, times in seconds.items()}
    ratios = [own / other for own, other in zip(counted["ours"], counted["theirs"], strict=True)]
    return {**{side: statistics.median(times) for side, times in counted.items()}, "ratio": statistics.median(ratios)}


def seconds_to_build(name: str) -> float:
    """From the name to a network with initial weights, at the paper's size."""
    seconds = []
    for _ in range(BUILT):
        started = time.perf_counter()
        create_model(name, in_channels=MODELS[name].channels[0])
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def foreign(name: str) -> nn.Module:
    """Torchvision's network; the inceptions are told how to start, as they ask for it."""
    more = {"init_weights": False, "aux_logits": True} if name in ("googlenet", "inception_v3") else {}
    module: nn.Module = torchvision.models.get_model(name, weights=None, **more)
    return module


def outputs(answer: Any) -> dict[str, torch.Tensor]:
    """The logits by name; auxiliary heads come as a named tuple."""
    return {"logits": answer} if isinstance(answer, torch.Tensor) else answer._asdict()


def stepper(
    module: nn.Module, call: Callable[[torch.Tensor], dict[str, torch.Tensor]], images: torch.Tensor, labels: torch.Tensor
) -> Callable[[], None]:
    """One training step."""
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = call(images)
        sum(functional.cross_entropy(logits.float(), labels) for logits in found.values()).backward()  # type: ignore[union-attr]
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
