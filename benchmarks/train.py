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
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kept import keep, known, measured_on
from ours import train_and_time
from sides import against, in_turn, medians
from workloads import WORKLOADS, Workload, prepare_data

SIDES = ("plain", "neocog")
PEERS = ("timm", "timm-best", "fastai", "fastai-best")


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
    """Medians of all sides, run in turn."""
    with tempfile.TemporaryDirectory() as folder:
        runs = in_turn(__file__, name, sides, repeats, prepare_data(workload, Path(folder)))
    rivals = {side: against(runs["neocog"], runs[side]) for side in sides if side != "neocog"}
    for side, result in rivals.items():
        print(f"{name}: {result['ratio']:.2f} times {side} ({result['steady_ratio']:.2f} steady)", flush=True)
    return {
        "repeats": repeats,
        "pictures": runs["neocog"][0]["pictures"],
        "plan": runs["neocog"][-1]["plan"],
        "ratio": rivals["plain"].pop("ratio"),
        "steady_ratio": rivals["plain"].pop("steady_ratio"),
        "goal": workload.goal,
        "plain": rivals.pop("plain"),
        "neocog": medians(runs["neocog"]),
        "peers": rivals,
    }


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
    dataset = str(folder / "hymenoptera") if workload.dataset == "hymenoptera" else workload.dataset
    return train_and_time(dataset, **workload.choices)


if __name__ == "__main__":
    main()
