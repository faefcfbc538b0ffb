"""Trainings in several processes at once, as torchrun starts them, with faults put into some of them.

One process loads torch once and forks the ranks of every command. As torchrun does, it sends SIGTERM to those that
are left when one has failed.

    with Processes(cache) as processes:
        processes.run("train", "digits", "--out", run, faults={1: {"call": "step", "time": 4}})   # [4, -9]
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from training import kills

__all__ = ["Processes", "free_port"]

GRACE = 0.1  # seconds after which torchrun sees that a process has failed
PATIENCE = 60.0


class Processes:
    """Runs neocog's commands, each in fresh children of one process.

    Args:
        cache: folder for what the program remembers.
    """

    def __init__(self, cache: Path) -> None:
        tests = str(Path(__file__).parent.parent)
        environment = {**os.environ, "NEOCOG_CACHE": str(cache), "OMP_NUM_THREADS": "1", "PYTHONPATH": tests}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(self, *arguments: object, **order: Any) -> list[int]:
        """The exit codes of a command's ranks; minus the signal's number where one was killed.

        Args:
            arguments: of the command line.
            order: "world": how many processes (2);
                "faults": by rank, where it is struck, as `kills.Commands.run` has it;
                "patches": values to set in all of them, by dotted name;
                "errors": folder for what each rank says on standard error, as RANK.txt.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"arguments": [str(argument) for argument in arguments], **order}, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._process.communicate()[1]
        codes: list[int] = json.loads(answer)
        return codes


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve() -> None:
    kills._load()
    importlib.import_module("torch.distributed")
    from neocog.cli.frame import run_command_line

    for line in sys.stdin:
        order = json.loads(line)
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(order.get("world", 2))}
        children = []
        for rank in range(order.get("world", 2)):
            child = os.fork()
            if child == 0:
                os.environ.update(place, RANK=str(rank), LOCAL_RANK=str(rank))
                kills._redirect(str(Path(order["errors"]) / f"{rank}.txt") if "errors" in order else os.devnull)
                kills._arm({"patches": order.get("patches", {}), "fault": order.get("faults", {}).get(str(rank), [])})
                code = run_command_line(order["arguments"])
                sys.stderr.flush()
                os._exit(code)
            children.append(child)
        print(json.dumps(_watched(children)), flush=True)


def _watched(children: list[int]) -> list[int]:
    """The exit codes of all."""
    codes: dict[int, int] = {}
    told, began = False, time.monotonic()
    while len(codes) < len(children):
        for child in children:
            if child not in codes and (ended := os.waitpid(child, os.WNOHANG))[0]:
                codes[child] = os.waitstatus_to_exitcode(ended[1])
        failed, late = any(codes.values()), time.monotonic() - began > PATIENCE
        if (failed and not told) or late:
            time.sleep(GRACE)
            for child in set(children) - codes.keys():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL if late else signal.SIGTERM)
            told = True
        time.sleep(0.005)
    return [codes[child] for child in children]


if __name__ == "__main__":
    _serve()
