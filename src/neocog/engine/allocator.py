"""Keep freed memory for the next step.

Every step of a training allocates and frees the same feature maps. The C library's malloc gives blocks of
more than some hundred kilobytes back to the system at once, which then clears each page anew when it is next
touched: a tenth to a fifth of a training step on a processor. Told to keep them, it hands them out again.
"""

import ctypes
import functools
import sys

__all__ = ["give_back", "keep_freed_memory"]

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_BLOCK_KEPT = 1 << 30  # bytes
MOST_KEPT_AT_THE_TOP = (1 << 31) - 1  # bytes, the largest C int


@functools.cache
def keep_freed_memory() -> bool:
    """Let malloc keep what is freed, for the rest of the process; whether it could be told.

    Only glibc can be told; elsewhere nothing changes. Results do not depend on it; peak memory hardly changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK_KEPT)) and bool(mallopt(M_TRIM_THRESHOLD, MOST_KEPT_AT_THE_TOP))


def give_back() -> bool:
    """Give memory that is free back to the system, where something else than the next step follows; whether the C library could."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    return trim is not None and bool(trim(0))
