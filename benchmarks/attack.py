"""PGD with 40 steps on CIFAR-10 test pictures and resnet20, against torchattacks with the same steps.

    uv run python benchmarks/attack.py [--pictures 1000] [--rounds 2] [--out docs/benchmarks/attack.json]

Both sides get the same pictures in memory, the same radius, length of a step and number of steps, and batches of 250, and
both are judged in float32 on the pictures that they return. neocog runs as `neocog attack` does: gradients by the plan
that its probe chooses (the probe's seconds are told, and not counted: it is remembered), pictures that fool drop out. Two
rows more, measured in the first round alone, take that apart: every picture to the last step, and all in float32. Radii at
which nearly every picture falls at once flatter what drops out; at 1/255 many pictures hold out to the end.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from kept import keep, measured_on
from torch import Tensor, nn

from neocog.attack.ascent import judge
from neocog.attack.pgd import PGDOptions, pgd
from neocog.data.open import open_dataset
from neocog.engine import obeying
from neocog.evaluation import read_material
from neocog.examine.member import Asked
from neocog.examine.stress import StressRequest
from neocog.examine.victims import Victims, weights_at_rest
from neocog.progress import Silent
from neocog.run import Trained, make_on_the_spot
from neocog.tasks.classify import ClassifyObjective

STEPS, STEP = 40, 2.5 / 40
EPSILONS = (8 / 255, 1 / 255)
BATCH = 250
GOAL = 2.0
TOLERANCE = 0.005  # of the share that is fooled, between gradients by the plan and in float32


class Scaled(nn.Module):
    """The network with its normalisation inside, as the rival wants it."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.trained = trained
        self.network = trained.model

    def forward(self, images: Tensor) -> Tensor:
        return self.network(self.trained.preprocess.normalise(images))


def main() -> None:
    """Measure all in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    trained, asked = _network_and_data()
    probing, victims = _probed(trained, asked, arguments.pictures)
    images, classes = _gathered(victims)
    rows = [_measured(trained, victims, images, classes, epsilon, arguments.rounds) for epsilon in EPSILONS]
    for row in rows:
        print(
            f"epsilon {row['epsilon'] * 255:.0f}/255: {row['ratio']:.1f} times torchattacks (goal {GOAL:.0f}), "
            f"{row['ratio_to_the_end']:.1f} when no picture drops out; fooled {row['fooled']}"
        )
    far = max(abs(row["fooled"]["neocog"] - row["fooled"]["neocog, float32"]) for row in rows)
    print(f"gradients by {victims.plan.describe() if victims.plan else 'float32'}: the share fooled is {far:.2%} from float32's")
    if far > TOLERANCE:
        raise SystemExit(f"more than {TOLERANCE:.1%} from float32")
    if arguments.out:
        plan = "float32" if victims.plan is None else victims.plan.describe()
        result = {"pictures": len(images), "rounds": arguments.rounds, "steps": STEPS, "batch": BATCH, "plan": plan, "probe": probing}
        keep(arguments.out, {**measured_on(), **result, "far": far, "goal": GOAL, "rows": rows})


def _network_and_data() -> tuple[Trained, Asked]:
    dataset = open_dataset("cifar10")
    trained = make_on_the_spot("resnet20", "cifar10")
    trained = Trained(trained.name, trained.model, trained.task, "classify", dataset.class_names, (), trained.plan)
    rows = torch.tensor([index for index in range(len(dataset)) if dataset.given_split(index) == "test"])
    material = read_material(dataset, trained.task, trained.preprocess, allow_bad=False, progress=Silent())
    return trained, Asked(material, "test", rows)


def _probed(trained: Trained, asked: Asked, pictures: int) -> tuple[float, Victims]:
    """The victims with their plan chosen, and the seconds that it took."""
    request = StressRequest(trained, {}, lambda: asked, Silent(), pictures=pictures)
    victims = Victims(request, asked, STEPS)
    started = time.perf_counter()
    next(iter(victims))
    return time.perf_counter() - started, victims


def _gathered(victims: Victims) -> tuple[Tensor, Tensor]:
    """All pictures in [0, 1], and their classes."""
    cases = list(victims)
    return torch.cat([case.images for case in cases]), torch.cat([case.labels for case in cases if case.labels is not None])


def _measured(trained: Trained, victims: Victims, images: Tensor, classes: Tensor, epsilon: float, rounds: int) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchattacks
    rival = torchattacks.PGD(Scaled(trained).eval(), eps=epsilon, alpha=STEP * epsilon, steps=STEPS)
    sides: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "torchattacks": rival,
        "neocog": _own(trained, victims, epsilon, fast=True, stop_early=True),
        "neocog, no picture drops out": _own(trained, victims, epsilon, fast=True, stop_early=False),
        "neocog, float32": _own(trained, victims, epsilon, fast=False, stop_early=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    fooled: dict[str, float] = {}
    for number in range(rounds):
        for name, side in sides.items():
            if number and name not in ("torchattacks", "neocog"):
                continue
            torch.manual_seed(number)
            started = time.perf_counter()
            attacked = [side(some, known) for some, known in zip(images.split(BATCH), classes.split(BATCH), strict=True)]
            seconds[name].append(time.perf_counter() - started)
            if name not in fooled:
                fooled[name] = _share_fooled(trained, torch.cat(attacked), classes)
    ratios = {name: statistics.median(a / b for a, b in zip(seconds["torchattacks"], own, strict=False)) for name, own in seconds.items()}
    return {
        "epsilon": epsilon,
        "seconds": {name: statistics.median(values) for name, values in seconds.items()},
        "fooled": fooled,
        "ratio": ratios["neocog"],
        "ratio_to_the_end": ratios["neocog, no picture drops out"],
        "ratio_in_float32": ratios["neocog, float32"],
    }


def _own(trained: Trained, victims: Victims, epsilon: float, *, fast: bool, stop_early: bool) -> Callable[[Tensor, Tensor], Tensor]:
    """The attack as the driver calls it."""

    def call(images: Tensor, classes: Tensor) -> Tensor:
        plain = ClassifyObjective(trained.model, classes)
        objective = victims.hastened(plain) if fast else plain
        options = PGDOptions(epsilon=epsilon, steps=STEPS, step=STEP, stop_early=stop_early)
        with obeying(trained.plan), weights_at_rest(trained.model):
            return pgd(objective, images, options, generator=torch.Generator().manual_seed(0))

    return call


def _share_fooled(trained: Trained, images: Tensor, classes: Tensor) -> float:
    wrong = [
        judge(ClassifyObjective(trained.model, known), some) for some, known in zip(images.split(BATCH), classes.split(BATCH), strict=True)
    ]
    return float(torch.cat(wrong).double().mean())


if __name__ == "__main__":
    main()
