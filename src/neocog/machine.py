"""What this machine is: processors, memory, accelerators, and where neocog keeps things."""

import contextlib
import hashlib
import json
import os
import platform
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import platformdirs
import psutil

__all__ = ["Machine", "available_memory", "cache_folder", "data_folder", "launched_as", "memory_of", "this_machine", "usable_cores"]

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
SECONDS_BETWEEN_LOOKS = 0.005

T = TypeVar("T")


@dataclass(frozen=True)
class Machine:
    """The facts that a plan depends on.

    Attributes:
        processor: the processor's own name.
        cores: logical processors that this process may use.
        memory: bytes of main memory that this process may use in all.
        accelerator: "cpu" or "cuda".
        accelerator_name: the accelerator's own name; empty for "cpu".
        torch: version of PyTorch.
    """

    processor: str
    cores: int
    memory: int
    accelerator: str
    accelerator_name: str
    torch: str

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when any of the facts does."""
        return hashlib.blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=6).hexdigest()


def this_machine() -> Machine:
    """Look at the machine that this process runs on.

    Apple's accelerator is not chosen: affine maps and the sums of metrics are 64-bit numbers, which it has
    not. A plan that names the device "mps" is obeyed.
    """
    import torch

    accelerator, name = "cpu", ""
    if torch.cuda.is_available():
        accelerator, name = "cuda", torch.cuda.get_device_name()
    memory = min([int(psutil.virtual_memory().total), *(limit for limit, _ in _memory_limits())])
    return Machine(_processor_name(), usable_cores(), memory, accelerator, name, str(torch.__version__))


def usable_cores() -> int:
    """Logical processors that this process may use (fewer than the machine's where it, or its container, is confined)."""
    admitted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([admitted, *_processor_limits()])))


def available_memory() -> int:
    """Bytes of main memory that could be taken now without swapping, and without passing a container's limit."""
    return max(0, min([int(psutil.virtual_memory().available), *(limit - used for limit, used in _memory_limits())]))


def memory_of(work: Callable[[], T]) -> tuple[T, int]:
    """Do some work, and watch how many bytes of main memory this process holds meanwhile beyond what it held before, at the most.

    Returns:
        what came of the work, and the bytes; a peak of less than some milliseconds may be missed.
    """
    process, ended = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def look() -> None:
        nonlocal most
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        result = work()
    finally:
        ended.set()
        watcher.join()
    return result, max(most, process.memory_info().rss) - before


def launched_as() -> tuple[int, int]:
    """Rank of this process, and how many torchrun started together with it; (0, 1) where it stands alone."""
    rank, world = (os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE"))
    if not (rank.isdecimal() and world.isdecimal() and "MASTER_ADDR" in os.environ and int(world) > 1):
        return 0, 1
    return int(rank), int(world)


def data_folder() -> Path:
    """Where named datasets are looked for: $NEOCOG_DATA, else a folder in the platform's cache."""
    named = os.environ.get("NEOCOG_DATA")
    return Path(named).expanduser() if named else cache_folder() / "data"


def cache_folder() -> Path:
    """Where decoded pictures and remembered plans are kept: $NEOCOG_CACHE, else the platform's cache folder."""
    named = os.environ.get("NEOCOG_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("neocog", appauthor=False))


def _groups(controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, of both versions, from its own up to the root."""
    with contextlib.suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0" or controller in controllers.split(","):
                top = GROUPS if number == "0" else GROUPS / controller
                own = top / path.lstrip("/")
                yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(top))


def _memory_limits() -> Iterator[tuple[int, int]]:
    """Limit and use of each group that has a limit, in bytes. File contents that the system would give up are not in use."""
    for folder in _groups("memory"):
        for limit, used, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with contextlib.suppress(OSError, ValueError):  # "max", or another version's group
                facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                in_use = int((folder / used).read_text()) - int(facts.get(cached, 0))
                yield int((folder / limit).read_text()), in_use


def _processor_limits() -> Iterator[float]:
    """How many processors' time each group may use at most."""
    for folder in _groups("cpu"):
        with contextlib.suppress(OSError, ValueError):  # "max", or another version's group
            quota, period = (folder / "cpu.max").read_text().split()
            yield int(quota) / int(period)
        with contextlib.suppress(OSError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if int(quota) > 0:
                yield int(quota) / int(period)


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
