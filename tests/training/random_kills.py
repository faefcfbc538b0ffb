"""Short trainings of many kinds, killed at random times again and again: each must end as one that was not killed."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from training.kills import Commands, left_behind, results

__all__ = ["KINDS", "Report", "kill_at_random"]

DIGITS = ("train", "digits", "--batch-size", "256", "--speed", "exact")
MLP = (*DIGITS, "--model", "mlp", "--widths", "12", "--epochs", "3")
CONVOLUTIONS = (*DIGITS, "--model", "small_convnet", "--width", "4", "--epochs", "2")

KINDS: dict[str, tuple[str, ...]] = {
    "plain": MLP,
    "augmented": (*CONVOLUTIONS, "--dropout", "0.2", "--augment", "pad_and_crop", "rotation", "mixup", "--warmup", "0.2"),
    "averaged": (*CONVOLUTIONS, "--ema", "0.9", "--renew-norms", "300"),
    "looking ahead": (*MLP, "--lookahead", "4", "--clip-gradient", "0.5", "--optimizer", "sgd_momentum"),
    "in parts": (*MLP, "--micro-batch", "100", "--augment", "cutmix", "gaussian_noise"),
    "patient": (*MLP, "--epochs", "9", "--patience", "1", "--learning-rate", "0.2", "--optimizer", "sgd"),
    "all kept": (*MLP, "--keep-every", "1", "--schedule", "step", "--label-smoothing", "0.1"),
    "whole passes": (*MLP, "--optimizer", "gradient_descent", "--epochs", "6"),
    "perceptron": (*DIGITS, "--model", "perceptron", "--epochs", "3"),
    "neocognitron": (
        *DIGITS,
        "--model",
        "neocognitron",
        "--image-size",
        "16x16",
        "--epochs",
        "1",
        "--planes",
        "4",
        "--presentations",
        "40",
    ),
}

OFTEN = {"neocog.training.loop.SECONDS_BETWEEN_CHECKPOINTS": 0}  # a checkpoint after every step
SELDOM = {"neocog.training.saving.SHARE": 0.0}  # only those that must be there when all is done
EARLIEST = 0.05  # of a training's duration; before that the command has done nothing


@dataclass
class Report:
    """What the kills did.

    Attributes:
        kills: of each kind.
        trainings: of each kind, that ended.
        found: how often a kill found what there was: "nothing", "choices", "plan", "checkpoint", "metrics", "predictions".
        different: what did not end as it should, in words.
    """

    kills: Counter[str] = field(default_factory=Counter)
    trainings: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """A line for each kind, and the sum."""
        lines = [f"{kind}: {self.kills[kind]} kills in {self.trainings[kind]} trainings" for kind in self.kills]
        stages = ", ".join(f"{stage} {count}" for stage, count in self.found.most_common())
        total = (
            f"{self.kills.total()} kills, {self.trainings.total()} trainings, {len(self.different)} ended otherwise; killed with {stages}"
        )
        return "\n".join([*lines, total, *self.different])


def kill_at_random(
    folder: Path, *, count: int, seed: int, kinds: Collection[str] = tuple(KINDS), tell: Callable[[str], None] | None = None
) -> Report:
    """Train each kind in turn under kills at random times, until there were so many.

    Args:
        folder: for the runs; what ends otherwise stays in it.
        count: of kills in all.
        seed: of the times.
        kinds: keys of KINDS.
        tell: told of each training that has ended.
    """
    report, numbers, unkilled = Report(), random.Random(seed), {}
    with Commands(folder / "cache") as commands:
        for kind in kinds:
            assert commands.run(*KINDS[kind], "--out", folder / kind) == 0, kind
            started = time.perf_counter()
            assert commands.run(*KINDS[kind], "--out", folder / f"{kind} again") == 0, kind  # the first one loaded more
            unkilled[kind] = results(folder / kind), time.perf_counter() - started
            shutil.rmtree(folder / f"{kind} again")
        while report.kills.total() < count and len(report.different) < len(kinds):
            for kind in kinds:
                run = folder / f"{kind} {report.trainings[kind] + 1}"
                wrong = _train_under_kills(commands, run, kind, (report, numbers, unkilled[kind][1]))
                if not wrong and results(run) != unkilled[kind][0]:
                    wrong = _difference(results(run), unkilled[kind][0])
                if wrong or left_behind(run):
                    report.different.append(f"{run}: {wrong or left_behind(run)}")
                else:
                    shutil.rmtree(run)
                if tell is not None:
                    tell(f"{kind}: {report.kills[kind]} kills")
                if report.kills.total() >= count:
                    break
    return report


def _train_under_kills(commands: Commands, run: Path, kind: str, under: tuple[Report, random.Random, float]) -> str:
    """Train to the end, killed at random times on the way; what went wrong, if anything."""
    report, numbers, duration = under
    patches = numbers.choice(({}, OFTEN, SELDOM))
    while True:
        begun = ("resume", run) if (run / "recipe.toml").exists() else (*KINDS[kind], "--out", run)
        code = commands.run(*begun, patches=patches, after=numbers.uniform(EARLIEST, 1.0) * duration)
        if code == 0:
            break
        if code != -9:
            return f"exit code {code} of {' '.join(map(str, begun))}"
        report.kills[kind] += 1
        report.found[_stage(run)] += 1
    report.trainings[kind] += 1
    return ""


def _stage(run: Path) -> str:
    """How far a training had come."""
    stages = {
        "predictions": run / "predictions.parquet",
        "metrics": run / "metrics.csv",
        "plan": run / "plan.json",
        "choices": run / "recipe.toml",
    }
    if any((run / "checkpoint").glob("*.safetensors")) and not stages["metrics"].exists():
        return "checkpoint"
    return next((stage for stage, path in stages.items() if path.exists()), "nothing")


def _difference(found: dict[str, object], expected: dict[str, object]) -> str:
    return ", ".join(sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)))
