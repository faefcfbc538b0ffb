"""What this machine is, and where things are kept."""

import dataclasses
import os
from pathlib import Path

import psutil
import pytest
import torch

from neocog.machine import Machine, available_memory, cache_folder, data_folder, this_machine, usable_cores


def test_the_facts_are_those_of_this_machine():
    machine = this_machine()
    assert machine.memory == psutil.virtual_memory().total
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
