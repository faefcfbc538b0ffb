"""A plan says how to compute, never what: equal plans give equal bits on one machine."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch

from neocog.engine.allocator import keep_freed_memory
from neocog.errors import RunError
from neocog.machine import this_machine, usable_cores

__all__ = ["Layout", "Plan", "Precision", "default_plan", "obeying", "plan_from_dict", "read_plan"]

Layout = Literal["contiguous", "channels_last"]
Precision = Literal["float32", "bfloat16"]
MOST_THREADS = 4096  # a system that is asked for more than it has ends the process


@dataclass(frozen=True)
class Plan:
    """How a network is computed.

    Attributes:
        device: "cpu", "cuda" or "mps".
        layout: order of the dimensions of images and weights in memory.
        precision: bfloat16 means autocast: weights stay float32, convolutions and products are bfloat16.
        compiled: the network is compiled by torch.compile before the first step.
        threads: threads that one operation may use on the processor.
        micro_batch: most pictures that pass through the network at once; None for the whole batch. Their
            gradients are added up, so that a step is the same but for batch norm's statistics.
        world: processes that share every step.
        machine: fingerprint of the machine that the plan was made on.
    """

    device: str = "cpu"
    layout: Layout = "contiguous"
    precision: Precision = "float32"
    compiled: bool = False
    threads: int = 1
    micro_batch: int | None = None
    world: int = 1
    machine: str = ""

    @property
    def possible_here(self) -> bool:
        """Whether this machine has the device."""
        return self.device in ("cpu", this_machine().accelerator)

    def to_dict(self) -> dict[str, Any]:
        """As plan.json holds it."""
        return asdict(self)

    def describe(self) -> str:
        """The plan in a few words."""
        words = [self.device, self.layout.replace("_", " "), self.precision]
        if self.device == "cpu":
            words.append(f"{self.threads} thread{'s' if self.threads > 1 else ''}")
        if self.compiled:
            words.append("compiled")
        if self.micro_batch is not None:
            words.append(f"{self.micro_batch} pictures at once")
        if self.world > 1:
            words.append(f"{self.world} processes")
        return ", ".join(words)


def default_plan() -> Plan:
    """float32 as every framework computes it unasked, on the machine's accelerator where there is one."""
    machine = this_machine()
    return Plan(device=machine.accelerator, threads=_threads(), machine=machine.fingerprint())


def _threads() -> int:
    """As many as there are processors, or fewer where OMP_NUM_THREADS asks for it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable_cores(), int(asked)) if asked.isdecimal() and int(asked) else usable_cores()


def plan_from_dict(values: Any, where: str) -> Plan:
    """The inverse of `Plan.to_dict`.

    Args:
        values: what stands in the file.
        where: the file's name, for the error.

    Raises:
        RunError: a key is unknown, or a value is not of its kind.
    """
    admitted = {
        "device": ("cpu", "cuda", "mps"),
        "layout": ("contiguous", "channels_last"),
        "precision": ("float32", "bfloat16"),
    }
    remedy = "mend the file, or leave it out and let the program choose"
    if not isinstance(values, dict):
        raise RunError("a plan: a JSON object", f"{where} with {type(values).__name__}", remedy)
    unknown = sorted(set(values) - {field.name for field in fields(Plan)})
    if unknown:
        raise RunError(f"the keys {', '.join(field.name for field in fields(Plan))}", f"{unknown[0]!r} in {where}", remedy)
    for key, choices in admitted.items():
        if key in values and values[key] not in choices:
            raise RunError(f"one of {', '.join(choices)} for {key}", f"{values[key]!r} in {where}", remedy)
    for key in ("threads", "micro_batch", "world"):
        value = values.get(key, 1)
        if (type(value) is not int or value < 1) and (key, value) != ("micro_batch", None):
            raise RunError(f"a whole number above 0 for {key}", f"{value!r} in {where}", remedy)
    if values.get("threads", 1) > MOST_THREADS:
        raise RunError(f"at most {MOST_THREADS:,} threads", f"{values['threads']:,} in {where}", remedy)
    for key, kind, words in (("compiled", bool, "true or false"), ("machine", str, "a text")):
        if key in values and type(values[key]) is not kind:
            raise RunError(f"{words} for {key}", f"{values[key]!r} in {where}", remedy)
    return Plan(**values)


def read_plan(path: Path) -> Plan:
    """Read a plan.json.

    Raises:
        RunError: the file cannot be read or is not a plan.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError("a plan: a JSON file as a run's plan.json", f"{path}: {error}", "check the path or mend the file") from error
    return plan_from_dict(values, str(path))


@contextlib.contextmanager
def obeying(plan: Plan) -> Iterator[None]:
    """Compute by a plan inside the block: its threads, and deterministic algorithms only.

    Afterwards torch's settings are as before; that freed memory is kept (`keep_freed_memory`) stays so.
    """
    if plan.device == "cpu":
        keep_freed_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it CUDA's products are not deterministic
    with contextlib.ExitStack() as before:
        # What use_deterministic_algorithms does, without importing the compiler, which takes seconds.
        before.callback(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())
        torch.set_deterministic_debug_mode("error")
        before.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(plan.threads)
        for holder, name in (
            (torch.utils.deterministic, "fill_uninitialized_memory"),  # nothing here reads what it did not write  # type: ignore[attr-defined]
            (torch.backends.cudnn, "benchmark"),  # it would choose algorithms by the clock
            (torch.backends.cudnn, "allow_tf32"),  # a plan that says float32 means it
            (torch.backends.cuda.matmul, "allow_tf32"),
        ):
            before.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, False)
        yield
