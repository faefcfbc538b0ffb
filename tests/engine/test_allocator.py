"""Freed memory stays with the process where the C library can be told so."""

import platform
import subprocess
import sys

import pytest

from neocog.engine.allocator import keep_freed_memory

PAGES_TOUCHED = """
import resource, sys
if sys.argv[1] == "keep":
    from neocog.engine.allocator import keep_freed_memory
    assert keep_freed_memory()
import torch
torch.ones(16_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    torch.ones(16_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


GIVEN_BACK = """
import psutil, torch
from neocog.engine.allocator import give_back, keep_freed_memory
keep_freed_memory()
blocks = [torch.ones(1_000_000) for _ in range(60)]
last = torch.ones(1_000)
held = psutil.Process().memory_info().rss
del blocks
give_back()
print(held - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_is_free_is_given_back_when_asked():
    done = subprocess.run([sys.executable, "-c", GIVEN_BACK], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 200_000_000  # of 240 MB


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_pages_are_not_cleared_again_for_every_block():
    faults = {
        how: int(subprocess.run([sys.executable, "-c", PAGES_TOUCHED, how], capture_output=True, text=True, check=True).stdout)
        for how in ("keep", "give back")
    }
    assert faults["keep"] < faults["give back"] / 4


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory.__wrapped__() is False


def test_a_c_library_without_the_call_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert keep_freed_memory.__wrapped__() is False
