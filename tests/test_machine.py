"""What this machine is, and where things are kept."""

import dataclasses
import mmap
import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from neocog import machine as module
from neocog.machine import Machine, available_memory, cache_folder, data_folder, memory_of, this_machine, usable_cores


def test_the_facts_are_those_of_this_machine():
    machine = this_machine()
    assert 0 < machine.memory <= psutil.virtual_memory().total
    assert machine.torch == torch.__version__
    assert machine.processor
    assert (machine.accelerator == "cuda") == torch.cuda.is_available()


def test_the_fingerprint_changes_with_every_fact():
    machine = Machine("a processor", 2, 8, "cpu", "", "2.0")
    changed = [
        dataclasses.replace(machine, **{field.name: value})
        for field, value in zip(dataclasses.fields(Machine), ("another", 4, 16, "cuda", "a card", "2.1"), strict=True)
    ]
    assert len({one.fingerprint() for one in [machine, *changed]}) == 7
    assert machine.fingerprint() == dataclasses.replace(machine).fingerprint()
    assert len(machine.fingerprint()) == 12


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a system that can confine a process")
def test_a_confined_process_has_fewer_cores():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_available_memory_is_some_and_not_more_than_all():
    assert 0 < available_memory() <= psutil.virtual_memory().total


def test_folders_follow_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)
    assert cache_folder() == tmp_path / "cache"
    assert data_folder() == tmp_path / "cache" / "data"
    monkeypatch.setenv("NEOCOG_DATA", "~/pictures")
    assert data_folder() == Path.home() / "pictures"
    monkeypatch.delenv("NEOCOG_CACHE")
    assert cache_folder().name == "neocog"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes control groups; the first is the list of the process's own."""

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, content in files.items():
            (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "fs" / name).write_text(content)

    monkeypatch.setattr(module, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(module, "GROUPS", tmp_path / "fs")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=10**10, available=8 * 10**9))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    return write


STAT = "anon 5\ninactive_file 1000000000\ntotal_inactive_file 1000000000\n"


@pytest.mark.parametrize(
    ("own", "files"),
    [
        (
            "0::/",
            {"memory.max": "4000000000\n", "memory.current": "3000000000\n", "memory.stat": STAT, "cpu.max": "250000 100000\n"},
        ),
        (
            "0::/pods/one",
            {
                "pods/memory.max": "4000000000",
                "pods/memory.current": "3000000000",
                "pods/memory.stat": STAT,
                "pods/one/memory.max": "max",
                "pods/one/memory.current": "2000000000",
                "pods/one/memory.stat": STAT,
                "pods/cpu.max": "max 100000",
                "pods/one/cpu.max": "250000 100000",
            },
        ),
        (
            "3:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n",
            {
                "memory/memory.limit_in_bytes": "4000000000",
                "memory/memory.usage_in_bytes": "3000000000",
                "memory/memory.stat": STAT,
                "cpu/docker/a/cpu.cfs_quota_us": "250000",
                "cpu/docker/a/cpu.cfs_period_us": "100000",
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
            },
        ),
    ],
)
def test_a_container_s_limits_are_obeyed(groups, own, files):
    groups(own, files)
    assert this_machine().memory == 4 * 10**9
    assert available_memory() == 2 * 10**9
    assert usable_cores() == this_machine().cores == 2


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ("0::/", {"memory.max": "max", "memory.current": "3", "memory.stat": STAT, "cpu.max": "max 100000"}),
        ("0::/", {"memory.max": "99999999999", "memory.current": "3", "memory.stat": STAT, "cpu.max": "9900000 100000"}),
        ("4:memory:/", {"memory/memory.limit_in_bytes": str(2**63), "memory/memory.usage_in_bytes": "3", "memory/memory.stat": STAT}),
        ("0::/gone", {}),
        ("", {}),
    ],
)
def test_limits_that_are_none_change_nothing(groups, own, files):
    groups(own, files)
    assert (this_machine().memory, available_memory(), usable_cores()) == (10**10, 8 * 10**9, 16)


def test_less_than_one_processor_is_one(groups):
    groups("0::/", {"cpu.max": "20000 100000", "memory.max": "5", "memory.current": "9000000000", "memory.stat": STAT})
    assert usable_cores() == 1
    assert available_memory() == 0


def test_apple_s_accelerator_is_not_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert this_machine().accelerator == "cpu"


def test_the_memory_of_work_is_what_it_holds_at_the_most():
    def work():
        with mmap.mmap(-1, 200 << 20) as held:  # memory that nobody in this process has used and given back before
            held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])  # every page is there
            time.sleep(0.3)
            return len(held)

    result, seen = memory_of(work)
    assert result == 200 << 20
    assert 190 << 20 < seen < 300 << 20
    with pytest.raises(ZeroDivisionError):
        memory_of(lambda: 1 / 0)
