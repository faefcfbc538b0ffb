"""What a training is forecast to take of memory, and what it then takes.

    uv run python benchmarks/forecast.py [--repeats 3] [--out docs/benchmarks/forecast.json]

Each training is in a process of its own, on pictures that are drawn for it, at the plain plan (float32, no probe). Measured is the
largest resident memory from the first dry step to the end of the last epoch, less what the process held before that step; the
forecast is what `neocog train` says.
"""

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from kept import keep, measured_on
from PIL import Image

CLASSES = 4
TRAININGS: dict[str, dict[str, Any]] = {
    "lenet5": {"size": 28, "pictures": 1600, "batch_size": 128, "epochs": 2},
    "small_convnet": {"size": 32, "pictures": 1600, "batch_size": 128, "epochs": 2},
    "resnet20": {"size": 32, "pictures": 1600, "batch_size": 128, "epochs": 2},
    "mobilenet_v2": {"size": 128, "pictures": 200, "batch_size": 16, "epochs": 2},
}
CHOICES = {"speed": "exact", "learning_rate": 1e-3, "progress": False}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_train(*arguments.child)))
        return
    results = {name: _measured(name, arguments.repeats) for name in TRAININGS}
    if arguments.out:
        keep(arguments.out, {**measured_on(), "repeats": arguments.repeats, "results": results})


def _measured(name: str, repeats: int) -> dict[str, Any]:
    """Medians of several processes."""
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder), TRAININGS[name]["size"], TRAININGS[name]["pictures"])
        runs = [_in_a_process(name, folder) for _ in range(repeats)]
    found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    forecast, measured = (found[key] / 2**20 for key in ("forecast", "measured"))
    print(f"{name}: forecast {forecast:.0f} MiB, measured {measured:.0f} MiB, ratio {forecast / measured:.2f}", flush=True)
    return {**TRAININGS[name], **found, "ratio": forecast / measured}


def _draw(folder: Path, size: int, count: int) -> None:
    """Class folders of noise."""
    numbers = np.random.default_rng(0)
    for index in range(count):
        place = folder / f"class-{index % CLASSES}" / f"{index}.png"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(place)


def _in_a_process(*words: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NEOCOG_CACHE": cache}
        command = [sys.executable, __file__, "--child", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _train(name: str, data: str) -> dict[str, float]:
    """Train, and look at the memory before the forecast and after the last epoch."""
    import neocog

    planning, train = (importlib.import_module(f"neocog.training.{module}") for module in ("planning", "train"))

    seen: dict[str, float] = {}
    forecast, fit = planning.forecast, train.fit

    def noted(*arguments: Any) -> Any:
        seen["before"] = psutil.Process().memory_info().rss
        _forget_peak()
        expected = forecast(*arguments)
        if expected is not None:
            seen["forecast"] = expected.memory
        return expected

    def measured(*arguments: Any) -> None:
        fit(*arguments)
        seen["measured"] = _peak() - seen.pop("before")

    _put(planning, "forecast", noted)
    _put(train, "fit", measured)
    chosen = {key: TRAININGS[name][key] for key in ("batch_size", "epochs")}
    side = TRAININGS[name]["size"]
    with tempfile.TemporaryDirectory() as out:
        neocog.train(data, out=Path(out) / "run", model=name, image_size=(side, side), **chosen, **CHOICES)
    return seen


def _put(module: Any, name: str, function: Callable[..., Any]) -> None:
    setattr(module, name, function)


def _forget_peak() -> None:
    """Count the largest resident memory from now on, where the system can."""
    place = Path("/proc/self/clear_refs")
    if place.exists():
        place.write_text("5")


def _peak() -> int:
    """Bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
