"""What this machine is: processors, memory, accelerators, and where neocog keeps things."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
import psutil

__all__ = ["Machine", "available_memory", "cache_folder", "data_folder", "this_machine"]


@dataclass(frozen=True)
class Machine:
    """The facts that a plan depends on.

    Attributes:
        processor: the processor's own name.
        cores: logical processors that this process may use.
        memory: bytes of main memory in all.
        accelerator: "cpu", "cuda" or "mps".
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
    """Look at the machine that this process runs on."""
    import torch

    accelerator, name = "cpu", ""
    if torch.cuda.is_available():
        accelerator, name = "cuda", torch.cuda.get_device_name()
    elif torch.backends.mps.is_available():
        accelerator, name = "mps", platform.processor()
    return Machine(_processor_name(), usable_cores(), psutil.virtual_memory().total, accelerator, name, str(torch.__version__))


def usable_cores() -> int:
    """Logical processors that this process may use (fewer than the machine's where it is confined)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory() -> int:
    """Bytes of main memory that could be taken now without swapping."""
    return int(psutil.virtual_memory().available)


def data_folder() -> Path:
    """Where named datasets are looked for: $NEOCOG_DATA, else a folder in the platform's cache."""
    named = os.environ.get("NEOCOG_DATA")
    return Path(named).expanduser() if named else cache_folder() / "data"


def cache_folder() -> Path:
    """Where decoded pictures and remembered plans are kept: $NEOCOG_CACHE, else the platform's cache folder."""
    named = os.environ.get("NEOCOG_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("neocog", appauthor=False))


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
