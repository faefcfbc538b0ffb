"""Confines a process as an ordinary person's is: rights bind it, and memory ends before the machine's does."""

import ctypes
import os
import resource
import sys
from pathlib import Path

__all__ = ["bound_by_rights", "limit_memory"]

CAPABILITIES_VERSION_3 = 0x20080522
PASSING_OVER_RIGHTS = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def bound_by_rights() -> bool:
    """Whether permission bits bind this process from now on; root gives up its right to pass over them, for good."""
    if os.name != "posix":
        return False
    if os.geteuid() != 0:
        return True
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: the lower 32 of each, then the upper
    if libc.capget(header, sets) != 0:
        return False
    for place in range(3):
        sets[place] &= ~PASSING_OVER_RIGHTS & 0xFFFFFFFF
    return libc.capset(header, sets) == 0


def limit_memory(more: int) -> None:
    """Let allocations fail that would make this process's private memory larger than now by `more` bytes."""
    if sys.platform.startswith("linux"):
        lines = Path("/proc/self/status").read_text().splitlines()
        now = next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) << 10
        resource.setrlimit(resource.RLIMIT_DATA, (now + more, resource.RLIM_INFINITY))
