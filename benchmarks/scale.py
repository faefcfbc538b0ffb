"""What grows with the number of pictures, and where the time of a training goes.

    uv run python benchmarks/scale.py [memory] [listing] [shares] [--counts 10000 100000 1000000] [--files 1000000]
                                      [--out docs/benchmarks/scale.json]

memory: a training of one epoch on pictures of 8 x 8 grey pixels that are drawn when they are asked for, as the bytes of
    files that are all different; everything else is what `neocog train` does with files: reading, hashing and decoding,
    splits, steps, validation, the final evaluation and what is written of it. Peak is the largest memory that the
    process could not give back (anonymous pages), looked at twenty times a second.
listing: a folder of class folders with hard links to a few small pictures, opened by two processes, one after the other.
shares: trainings with --profile: the shares of the time of their epochs but the first one; checkpoints of all.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from kept import keep, known, measured_on
from PIL import Image
from workloads import WORKLOADS, prepare_data

from neocog.data.dataset import TaskName
from neocog.data.files import LabelledFiles
from neocog.data.registry import DATASETS, NamedSet
from neocog.options import option

PARTS = ("memory", "listing", "shares")
CLASSES = 100
SIDE = 8
SECONDS_BETWEEN_LOOKS = 0.05
LINKS_A_FILE = 10_000  # fewer than any file system admits
FOLDERS = 1000
SHARES = {
    "lenet5-mnist": ("lenet5-mnist", {}),
    "resnet20-cifar10": ("resnet20-cifar10", {"epochs": 3}),
    "resnet18-photos": ("resnet18-photos", {"epochs": 15}),
    "mobilenet_v2-photos": ("resnet18-photos", {"epochs": 4, "model": "mobilenet_v2"}),
}
GOALS = {"input_small": 0.05, "input_photos": 0.15, "checkpoints": 0.02}


@dataclass(frozen=True)
class Options:
    """Of the dataset that is drawn."""

    count: int = option(10_000, "how many pictures", low=1)


class DrawnFiles(LabelledFiles):
    """Files of which only the names are there; their bytes, each other ones, are made from their numbers."""

    channels = 1
    typical_size = (SIDE, SIDE)

    def __init__(self, task: TaskName, options: Options) -> None:
        count = options.count
        names = tuple(f"class-{number:03d}" for number in range(CLASSES))
        labels = [index * CLASSES // count for index in range(count)]
        files = (f"{names[label]}/picture-{index:07d}.pgm" for index, label in enumerate(labels))
        super().__init__("drawn", Path("drawn"), files, labels, names)  # type: ignore[arg-type]

    def content(self, index: int) -> bytes:
        """A grey picture whose pixels are a hash of its number."""
        return b"P5\n%d %d\n255\n" % (SIDE, SIDE) + hashlib.blake2b(str(index).encode(), digest_size=SIDE * SIDE).digest()

    def stats(self) -> Iterator[tuple[str, os.stat_result | None]]:
        """None is on the disk."""
        return ((name, None) for name in self.files)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_child(*arguments.child)))
        return
    measures = {
        "memory": lambda: _memory(arguments.counts),
        "listing": lambda: _listing(arguments.files),
        "shares": lambda: _shares(arguments.repeats),
    }
    for part in arguments.parts or PARTS:
        result = measures[part]()
        if arguments.out:
            _keep(arguments.out, part, result)


def _keep(path: Path, part: str, result: Any) -> None:
    """Write a part's result beside the others, which stay as they are."""
    keep(path, {**known(path), **measured_on(), part: result})


def _memory(counts: list[int]) -> dict[str, Any]:
    """Peak memory of the same training on more and more pictures."""
    rows = [{"pictures": count, **_in_a_process("train", str(count))} for count in sorted(counts)]
    first = rows[0]
    for row in rows:
        more = row["pictures"] - first["pictures"]
        row["bytes_a_picture"] = (row["peak"] - first["peak"]) / more if more else 0.0
        print(
            f"memory: {row['pictures']:,} pictures: {row['peak'] / 2**20:,.0f} MiB at the peak, {row['bytes_a_picture']:.0f} bytes for each"
            f" further picture, {SIDE * SIDE} of them its pixels; {row['seconds']:.0f} s",
            flush=True,
        )
    return {"pixel_bytes_a_picture": SIDE * SIDE, "rows": rows}


def _listing(count: int) -> dict[str, Any]:
    """Seconds of opening a folder of so many files, in the first process and in the next."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        _make_links(Path(folder), count)
        made = time.perf_counter() - started
        first, after = (_in_a_process("list", folder) for _ in range(2))
    if first["pictures"] != count:
        raise RuntimeError(f"{first['pictures']} of {count} files were found")
    print(f"listing: {count:,} files in {first['seconds']:.1f} s the first time, {after['seconds']:.1f} s after", flush=True)
    facts = {"first_seconds": first["seconds"], "after_seconds": after["seconds"], "peak": after["peak"]}
    return {"files": count, "folders": FOLDERS, "seconds_to_make": made, **facts}


def _make_links(folder: Path, count: int) -> None:
    for number in range(FOLDERS):
        (folder / f"class-{number:04d}").mkdir()
    source = ""
    for index in range(count):
        place = f"{folder}/class-{index % FOLDERS:04d}/picture-{index:07d}.png"
        if index % LINKS_A_FILE == 0:
            source = place
            numbers = np.random.default_rng(index)
            Image.fromarray(numbers.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(source)
        else:
            os.link(source, place)


def _shares(repeats: int) -> dict[str, Any]:
    """Medians of what the parts of the work take of trainings' time."""
    found = {}
    for name, (workload, changes) in SHARES.items():
        with tempfile.TemporaryDirectory() as folder:
            data = prepare_data(WORKLOADS[workload], Path(folder))
            runs = [_in_a_process("profile", workload, json.dumps(changes), data=data)["shares"] for _ in range(repeats)]
        found[name] = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
        print(f"shares: {name}: " + ", ".join(f"{part} {share:.1%}" for part, share in found[name].items()), flush=True)
    return {"repeats": repeats, "goals": GOALS, "trainings": found}


def _in_a_process(*words: str, data: Path | None = None) -> dict[str, Any]:
    """What a child says, and its largest anonymous memory in bytes."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NEOCOG_CACHE": cache, **({} if data is None else {"NEOCOG_DATA": str(data)})}
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [sys.executable, __file__, "--child", *words], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
            peak = 0
            while process.poll() is None:
                peak = max(peak, _anonymous(process.pid))
                time.sleep(SECONDS_BETWEEN_LOOKS)
            out = process.stdout.read() if process.stdout is not None else ""
            errors.seek(0)
            if process.returncode:
                raise RuntimeError(f"{' '.join(words)} failed:\n{errors.read()}")
    return {**json.loads(out.splitlines()[-1]), "peak": peak}


def _anonymous(process: int) -> int:
    """Bytes of a process that are in no file; where the system does not say, all that is its own."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return int(psutil.Process(process).memory_full_info().uss)
    except (OSError, psutil.Error):
        return 0


def _child(kind: str, *words: str) -> dict[str, Any]:
    return {"train": _train, "list": _list, "profile": _profile}[kind](*words)


def _train(count: str) -> dict[str, Any]:
    import neocog

    DATASETS.add_named(NamedSet("drawn", "made for measuring", "none", DrawnFiles, Options=Options))
    choices = {"model": "softmax_regression", "epochs": 1, "batch_size": 1024, "speed": "exact", "augment": (), "learning_rate": 1e-3}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        neocog.train("drawn", out=Path(out) / "run", progress=False, count=int(count), **choices)
    return {"seconds": time.perf_counter() - started}


def _list(folder: str) -> dict[str, Any]:
    from neocog.data.open import open_dataset

    started = time.perf_counter()
    dataset = open_dataset(folder)
    return {"seconds": time.perf_counter() - started, "pictures": len(dataset)}


def _profile(name: str, changes: str) -> dict[str, Any]:
    """The shares of the parts in all epochs but the first, and in all."""
    import neocog

    workload = WORKLOADS[name]
    folder = Path(os.environ["NEOCOG_DATA"])
    dataset = str(folder / workload.dataset) if (folder / workload.dataset).is_dir() else workload.dataset
    choices = {**workload.choices, **json.loads(changes)}
    with tempfile.TemporaryDirectory() as out:
        run = neocog.train(dataset, out=Path(out) / "run", profile=True, progress=False, **choices)
        profile = run.result.profile if run.result is not None else None
    if profile is None:
        raise RuntimeError("the training measured nothing")
    later = profile["epochs"][1:]
    whole = sum(row["total"] for row in later)
    shares = {part: sum(row[part] for row in later) / whole for part in profile["shares"]}
    return {"shares": {**shares, "checkpoints": profile["shares"]["checkpoints"]}}


if __name__ == "__main__":
    main()
