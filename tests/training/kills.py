"""Trainings in processes of their own that are killed at a named point, and what they leave to compare.

One process loads torch once and forks a child for every command, so that a kill costs no second start. The
faults are put into the child: nothing of them is in the package.

    with Commands(cache) as commands:
        commands.run("train", "digits", "--out", run, fault={"file": "metrics.csv", "moment": "half"})   # -9
        commands.run("resume", run)                                                                      # 0
"""

import contextlib
import csv
import importlib
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["MLP", "Commands", "left_behind", "results"]

MLP = ("train", "digits", "--model", "mlp", "--widths", "12", "--epochs", "3", "--batch-size", "256", "--speed", "exact")
"""A training of three epochs of six steps."""

CALLS = {
    "reading": "neocog.training.job.read_material",
    "probe": "neocog.engine.trial.StepTrial.step",
    "step": "neocog.training.loop.train_step",
    "loss": "neocog.training.loop.batch_loss",
    "validation": "neocog.training.loop.validate",
    "batch": "neocog.tasks.classify.Classify.compare",
    "evaluation": "neocog.training.train.evaluate",
    "writing": "neocog.training.checkpoint.write_weights",
}
"""Functions at whose beginning a fault may strike."""

CLOCKS = {"seconds", "images_per_second"}
HOUR = 3600.0


class Commands:
    """Runs neocog's commands, each in a fresh child of one process.

    Args:
        cache: folder for what the program remembers.
        modules: that are imported once, before any command, beside those of every training.
    """

    NOT_BOUND = 77

    def __init__(self, cache: Path, modules: Sequence[str] = ()) -> None:
        environment = {**os.environ, "NEOCOG_CACHE": str(cache), "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        self._process = subprocess.Popen(
            [sys.executable, __file__, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> "Commands":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(self, *arguments: object, **order: Any) -> int:
        """The exit code of a command; minus the signal's number where it was killed.

        Args:
            arguments: of the command line.
            order: "fault": where it is killed, a dict of "call" (a key of CALLS) or "file" (the beginning of a
                file's name) with "moment" ("half" of the bytes written, the "whole" of them, "renamed"), and
                "time" (which one, from 1), and of a call "signal" (SIGKILL unless told otherwise;
                MEMORY raises what the allocator raises when there is none left); or a list of these;
                "after": or how many seconds after its start;
                "plan": the plan that is chosen without a probe;
                "patches": values to set, by dotted name; unless told otherwise every epoch's end is saved, whatever it costs;
                "largest_file": in bytes, as a full disk sets a limit;
                "bound_by_rights": true where permission bits must bind it, root or not; `NOT_BOUND` is its exit code where they cannot;
                "jumping_clocks": seed of the hours by which all clocks jump back and forth;
                "errors": file that standard error goes to.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"arguments": [str(argument) for argument in arguments], **order}, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._process.communicate()[1]
        return int(answer)


def results(run: Path) -> dict[str, Any]:
    """All that a training leaves but its clocks: the bytes of the files, and of the checkpoints the tensors."""
    found: dict[str, Any] = {"names": sorted(entry.name for entry in run.iterdir())}
    for name in ("recipe.toml", "splits.csv", "plan.json", "weights.safetensors", "predictions.parquet"):
        found[name] = (run / name).read_bytes()
    columns = zip(*csv.reader((run / "metrics.csv").read_text().splitlines()), strict=True)
    found["metrics.csv"] = [column for column in columns if column[0] not in CLOCKS]
    manifest = json.loads((run / "manifest.json").read_text())
    found["manifest.json"] = {name: manifest[name] for name in ("metrics", "best_epoch", "dataset")}
    found["hashes"] = {name: digest for name, digest in manifest["files"].items() if name != "metrics.csv"}
    for path in sorted((run / "checkpoint").iterdir()):
        found[path.name] = _checkpoint(path)
    return found


def left_behind(run: Path) -> list[str]:
    """Parts of files that a kill left."""
    return [path.name for path in run.rglob("*.part")]


def _checkpoint(path: Path) -> dict[str, Any]:
    import safetensors

    with safetensors.safe_open(path, framework="np") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        facts = json.loads(file.metadata()["neocog"])
    del facts["sha256"]  # of the clocks too
    state = {name: value for name, value in facts["state"].items() if name not in CLOCKS}
    state["rows"] = [[(name, value) for name, value in row if name not in CLOCKS] for row in state["rows"]]
    bits = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}
    return {**facts, "state": state, "tensors": bits}


def _serve() -> None:
    """Run the commands that come on standard input, one a line; answer with their exit codes."""
    _load()
    from neocog.cli.frame import run_command_line

    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _redirect(order.get("errors", os.devnull))
            _arm(order)
            code = run_command_line(order["arguments"])
            sys.stderr.flush()
            os._exit(code)
        if "after" in order:
            threading.Timer(order["after"], _kill, [child]).start()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _load() -> None:
    """Import what trainings import, so that no child has to. Nothing is computed: threads would not survive a fork."""
    for name in ("neocog.api", "pyarrow.parquet", "tomlkit", *sys.argv[1:]):
        importlib.import_module(name)
    import torch
    from sklearn.datasets import load_digits

    from neocog.augment import AUGMENTATIONS
    from neocog.models import MODELS
    from neocog.optim import OPTIMIZERS, SCHEDULES

    for registry in (AUGMENTATIONS, MODELS, OPTIMIZERS, SCHEDULES):
        registry.names()
    load_digits()
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # it imports torch's compiler


def _redirect(errors: str) -> None:
    handle = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _arm(order: dict[str, Any]) -> None:
    if "plan" in order:
        from neocog.engine.plan import plan_from_dict
        from neocog.engine.probe import Choice

        chosen = Choice(plan_from_dict(order["plan"], "the order"), source="exact")
        _replace("neocog.training.planning.choose_plan", lambda old: lambda *arguments, **named: chosen)
    for name, value in {"neocog.training.saving.SHARE": 1e9, **order.get("patches", {})}.items():
        _replace(name, lambda old, value=value: value)
    if "largest_file" in order:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], resource.RLIM_INFINITY))
    if "bound_by_rights" in order and not _bound_by_rights():
        os._exit(Commands.NOT_BOUND)
    if "jumping_clocks" in order:
        for number, name in enumerate(("time", "monotonic", "perf_counter")):
            _replace(f"time.{name}", lambda old, number=number: _jumping(old, random.Random(f"{order['jumping_clocks']} {number}")))
    faults = order.get("fault", [])
    for fault in faults if isinstance(faults, list) else [faults]:
        _put_in(fault, _counting(fault.get("time", 1)))


def _bound_by_rights() -> bool:
    sys.path.append(str(Path(__file__).parents[1]))
    return bool(importlib.import_module("campaign.confine").bound_by_rights())


def _jumping(clock: Callable[[], float], numbers: random.Random) -> Callable[[], float]:
    """A clock that is now and then set some hours back or ahead."""
    set_by = 0.0

    def read() -> float:
        nonlocal set_by
        if numbers.random() < 0.1:
            set_by += numbers.uniform(-8, 8) * HOUR
        return clock() + set_by

    return read


def _put_in(fault: dict[str, Any], due: Callable[[], bool]) -> None:
    if "call" in fault:
        strike = _no_memory if fault.get("signal") == "MEMORY" else _sending(signal.Signals[fault.get("signal", "SIGKILL")])
        _replace(CALLS[fault["call"]], lambda old: _struck_before(old, due, strike))
    else:
        _replace("neocog.files.replacing", lambda old: _struck_while_writing(old, due, fault["file"], fault["moment"]))


def _counting(time: int) -> Callable[[], bool]:
    """A function that says at which of its calls it is time."""
    calls = itertools.count(1)
    return lambda: next(calls) == time


def _sending(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def _no_memory() -> None:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.")


def _struck_before(function: Callable[..., Any], due: Callable[[], bool], strike: Callable[[], None]) -> Callable[..., Any]:
    def struck(*arguments: Any, **named: Any) -> Any:
        if due():
            strike()
        return function(*arguments, **named)

    return struck


def _struck_while_writing(replacing: Any, due: Callable[[], bool], beginning: str, moment: str) -> Any:
    @contextlib.contextmanager
    def struck(path: Path) -> Iterator[Any]:
        now = path.name.startswith(beginning) and due()
        with replacing(path) as file:
            yield file
            file.flush()
            if now and moment == "half":
                os.ftruncate(file.fileno(), file.tell() // 2)
            if now and moment != "renamed":
                os.kill(os.getpid(), signal.SIGKILL)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)

    return struck


def _replace(name: str, change: Callable[[Any], Any]) -> None:
    """Change what a dotted name stands for."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            owner = importlib.import_module(".".join(parts[:length]))
            break
    for part in parts[length:-1]:
        owner = getattr(owner, part)
    setattr(owner, parts[-1], change(getattr(owner, parts[-1])))


if __name__ == "__main__":
    _serve()
