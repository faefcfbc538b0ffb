"""Sides of a comparison: each in a process of its own, in turn, and the medians of what they tell."""

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

__all__ = ["against", "in_turn", "medians"]

FIGURES = ("images_per_second", "steady", "memory")
SECONDS_BETWEEN_LOOKS = 0.5


def in_turn(script: str, name: str, sides: Sequence[str], repeats: int, data: Path) -> dict[str, list[dict[str, Any]]]:
    """What the sides of a workload tell, run after run; which one begins changes from round to round.

    Args:
        script: called as `script --side SIDE NAME`, with `NEOCOG_DATA` set and an empty cache, prints its figures as JSON.
        name: of the workload.
        sides: of the comparison.
        repeats: rounds.
        data: the folder for `NEOCOG_DATA`.
    """
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for repeat in range(repeats):
        first = repeat % len(sides)
        for side in (*sides[first:], *sides[:first]):
            runs[side].append(_in_a_process(script, side, name, data))
            print(f"{name} {repeat + 1} {side}: {runs[side][-1]['images_per_second']:,.1f} images/s", file=sys.stderr, flush=True)
    return runs


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Of each figure."""
    return {key: statistics.median(run[key] for run in runs) for key in FIGURES}


def against(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """A rival's medians, and those of the rounds' ratios, our speed to its."""
    ratios = {
        name: statistics.median(one[key] / other[key] for one, other in zip(ours, theirs, strict=True))
        for name, key in (("ratio", "images_per_second"), ("steady_ratio", "steady"))
    }
    return {**medians(theirs), "pictures": theirs[0]["pictures"], **ratios}


def _in_a_process(script: str, side: str, name: str, data: Path) -> dict[str, Any]:
    """One side in a process of its own, with an empty cache; its figures and its largest memory."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NEOCOG_DATA": str(data), "NEOCOG_CACHE": cache}
        process = subprocess.Popen(
            [sys.executable, script, "--side", side, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
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
