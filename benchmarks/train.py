"""Training speed against a plain PyTorch loop, timm and fastai: the same network and pictures, in separate processes, in turn.

    uv run --group bench python benchmarks/train.py [WORKLOAD ...] [--peers SIDE ...] [--repeats 5] [--out docs/benchmarks/train.json]

Images per second count everything from opening the dataset to the last step: reading and decoding, and for
neocog the probe (its memory of earlier probes is emptied before every run). "steady" leaves out what happens
once: reading, and the probe. Validation and checkpoints, which the plain loop does not have, are left out.
Memory is the largest sum of the proportional set sizes of a process and its workers.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from kept import keep, known, measured_on
from workloads import WORKLOADS, Workload, prepare_data

SIDES = ("plain", "neocog")
PEERS = ("timm", "timm-best", "fastai", "fastai-best")
FIGURES = ("images_per_second", "steady", "memory")
SECONDS_BETWEEN_LOOKS = 0.5


def main() -> None:
    """Run the workloads and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all without any")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS, metavar="SIDE", help=f"of {', '.join(PEERS)}; none without any")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", choices=(*SIDES, *PEERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(_one_side(arguments.side, WORKLOADS[arguments.workloads[0]])))
        return
    for name in arguments.workloads or WORKLOADS:
        result = _measure(name, WORKLOADS[name], (*SIDES, *arguments.peers), arguments.repeats)
        if arguments.out:
            _keep(arguments.out, name, result)


def _keep(path: Path, name: str, result: dict[str, Any]) -> None:
    """Write a workload's result beside those of the others, which stay as they are."""
    keep(path, {**measured_on(), "results": {**known(path).get("results", {}), name: result}})


def _measure(name: str, workload: Workload, sides: Sequence[str], repeats: int) -> dict[str, Any]:
    """Medians of all sides, run in turn; which one begins changes from round to round."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        data = prepare_data(workload, Path(folder))
        for repeat in range(repeats):
            first = repeat % len(sides)
            for side in (*sides[first:], *sides[:first]):
                runs[side].append(_in_a_process(side, name, data))
                print(f"{name} {repeat + 1} {side}: {runs[side][-1]['images_per_second']:,.1f} images/s", file=sys.stderr, flush=True)
    against = {side: _against(runs["neocog"], runs[side]) for side in sides if side != "neocog"}
    for side, result in against.items():
        print(f"{name}: {result['ratio']:.2f} times {side} ({result['steady_ratio']:.2f} steady)", flush=True)
    return {
        "repeats": repeats,
        "pictures": runs["neocog"][0]["pictures"],
        "plan": runs["neocog"][-1]["plan"],
        "ratio": against["plain"].pop("ratio"),
        "steady_ratio": against["plain"].pop("steady_ratio"),
        "goal": workload.goal,
        "plain": against.pop("plain"),
        "neocog": _medians(runs["neocog"]),
        "peers": against,
    }


def _medians(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in FIGURES}


def _against(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """A rival's medians, and those of the rounds' ratios, our speed to its."""
    ratios = {
        name: statistics.median(one[key] / other[key] for one, other in zip(ours, theirs, strict=True))
        for name, key in (("ratio", "images_per_second"), ("steady_ratio", "steady"))
    }
    return {**_medians(theirs), "pictures": theirs[0]["pictures"], **ratios}


def _in_a_process(side: str, name: str, data: Path) -> dict[str, Any]:
    """One side in a process of its own, with an empty cache; its figures and its largest memory."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NEOCOG_DATA": str(data), "NEOCOG_CACHE": cache}
        process = subprocess.Popen(
            [sys.executable, __file__, "--side", side, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        largest = [0]
        watcher = threading.Thread(target=_watch, args=(process.pid, largest))
        watcher.start()
        out, errors = process.communicate()
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{side} of {name} failed:\n{errors}")
    return {**json.loads(out.splitlines()[-1]), "memory": largest[0]}


def _watch(pid: int, largest: list[int]) -> None:
    """Keep the largest memory of a process and its children, until it ends."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            family = [process, *process.children(recursive=True)]
            largest[0] = max(largest[0], sum(member.memory_full_info().pss for member in family))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    except psutil.Error:
        return


def _one_side(side: str, workload: Workload) -> dict[str, Any]:
    folder = Path(os.environ["NEOCOG_DATA"])
    if side == "plain":
        from plain import train_plainly

        return train_plainly(workload, folder)
    if side.startswith("timm"):
        from peer_timm import train_with_timm

        return train_with_timm(workload, folder, best=side.endswith("best"))
    if side.startswith("fastai"):
        from peer_fastai import train_with_fastai

        return train_with_fastai(workload, folder, best=side.endswith("best"))
    return _train_with_neocog(workload, folder)


def _train_with_neocog(workload: Workload, folder: Path) -> dict[str, Any]:
    import neocog

    dataset = str(folder / "hymenoptera") if workload.dataset == "hymenoptera" else workload.dataset
    size = (workload.size, workload.size)
    with tempfile.TemporaryDirectory() as out:
        choices = {
            "model": workload.model,
            "epochs": workload.epochs,
            "batch_size": workload.batch_size,
            "image_size": size,
            "learning_rate": 1e-3,
        }
        run = neocog.train(dataset, out=Path(out) / "run", progress=False, **choices)
        folder_of_run = run.trained.folder
        if run.result is None or folder_of_run is None:
            raise RuntimeError("the training left no result")
        events = {event["event"]: event for event in folder_of_run.events()}
        once = events["read"]["seconds"] + events["plan"]["cost"]
        pictures = run.result.images_per_second * run.result.seconds
        return {
            "pictures": round(pictures),
            "seconds": once + run.result.seconds,
            "images_per_second": pictures / (once + run.result.seconds),
            "steady": run.result.images_per_second,
            "plan": {key: run.result.plan[key] for key in ("layout", "precision", "threads")},
        }


if __name__ == "__main__":
    main()
