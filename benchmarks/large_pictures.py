"""The most memory that `neocog predict` takes for a large picture.

    uv run python benchmarks/large_pictures.py [CASE ...] [--side 10000] [--width 64] [--out docs/benchmarks/large_pictures.json]

Each case is the command that a person types, in a process of its own, with `--save`: reading the picture, answering, drawing and
writing are in it. Memory is the largest that the process had resident, as the system tells it. The picture is a square PNG of a slope
under noise of sigma 25. The networks are trained for one short epoch, so that there is a run, and hardly differ from their random
initial weights: memory does not depend on what they answer. `--width` is the number of channels of `dncnn`, 64 as published: fewer take
less time, and less memory for the maps of a window.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from kept import keep, known, measured_on
from PIL import Image

SIGMA = 25
SMALL = 64  # pixels a side of the pictures that are learnt from
SHORT = ("--epochs", "1", "--speed", "exact")
DENOISE = ("--task", "denoise", "--model", "dncnn", "--patches-per-picture", "1", "--image-size", "40x40", *SHORT)
SEGMENT = ("shapes", "--task", "segment", "--count", "40", "--model", "unet", "--base", "32", *SHORT)
CASES: dict[str, dict[str, Any]] = {
    "denoise grey": {"channels": 1, "train": DENOISE},
    "denoise colour": {"channels": 3, "train": DENOISE},
    "segment letterbox": {"channels": 3, "train": (*SEGMENT, "--fit", "letterbox", "--image-size", "256x256")},
    "segment tiles": {"channels": 3, "train": (*SEGMENT, "--fit", "crop", "--image-size", "64x64")},
}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(map(repr, CASES))}; all without any")
    parser.add_argument("--side", type=int, default=10_000, help="of the picture, in pixels")
    parser.add_argument("--width", type=int, default=64, help="channels of dncnn")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--draw", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.draw:
        path, side, channels = arguments.draw
        _draw(Path(path), int(side), int(channels))
        return
    for name in arguments.cases or CASES:
        row = _measured(name, arguments.side, arguments.width)
        print(f"{name}: {row['peak'] / 1e9:.2f} GB at the peak, {row['seconds']:.0f} s", flush=True)
        if arguments.out:
            _keep(arguments.out, name, row)


def _keep(path: Path, name: str, row: dict[str, Any]) -> None:
    """Write a case's result beside the others, which stay as they are."""
    keep(path, {**measured_on(), "results": {**known(path).get("results", {}), name: row}})


def _measured(name: str, side: int, width: int) -> dict[str, Any]:
    """Train a network, draw a picture, and watch the command that answers about it."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        words = list(case["train"])
        if name.startswith("denoise"):
            (folder / "photos").mkdir()
            for number in range(10):
                _draw(folder / "photos" / f"{number}.png", SMALL, case["channels"])
            words = [str(folder / "photos"), *words, "--width", str(width)]
        _neocog("train", *words, "--out", str(folder / "run"))
        # In a process of its own: a child's peak would begin with what this one holds.
        subprocess.run([sys.executable, __file__, "--draw", str(folder / "large.png"), str(side), str(case["channels"])], check=True)
        file = (folder / "large.png").stat().st_size
        started = time.perf_counter()
        peak = _neocog("predict", str(folder / "run"), str(folder / "large.png"), "--save", str(folder / "out"), "--json")
        seconds = time.perf_counter() - started
        written = sorted(path.name for path in (folder / "out").iterdir())
    network = "unet, 32 channels" if words[0] == "shapes" else f"dncnn, {width} channels"
    picture = {"side": side, "channels": case["channels"], "file": file}
    return {"network": network, **picture, "peak": peak, "seconds": seconds, "written": written}


def _neocog(*words: str) -> int:
    """Run the command line, and give the largest resident memory of its process in bytes."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([sys.executable, "-m", "neocog", *words], stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"neocog {' '.join(words)} failed:\n{errors.read().decode()}")
        if words[0] == "predict":
            out.seek(0)
            (answer,) = json.loads(out.read())["predictions"]
            if "error" in answer:
                raise RuntimeError(f"the picture was not answered: {answer['error']}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _draw(path: Path, side: int, channels: int) -> None:
    """A slope from dark to light under noise, as PNG."""
    numbers = np.random.default_rng(side)
    pixels = np.empty((side, side, channels), dtype=np.uint8)
    across = np.linspace(40, 210, side, dtype=np.float32)[:, None]
    for row in pixels:
        row[:] = (across + SIGMA * numbers.standard_normal((side, channels), dtype=np.float32)).round().clip(0, 255)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(path, compress_level=1)


if __name__ == "__main__":
    main()
