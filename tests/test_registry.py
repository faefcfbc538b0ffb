"""Registries: found by name, suggested when misspelt, filled by the files of a folder."""

import sys
from dataclasses import dataclass

import pytest

from neocog.errors import UsageError
from neocog.registry import Registry, closest


@dataclass(frozen=True)
class Thing:
    name: str


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder with two members in two files, and the name it is imported by."""
    folder = tmp_path / "members_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("from neocog.registry import Registry\nTHINGS = Registry('a thing', 'members_of_a_test')\n")
    for name in ("stone", "cloud"):
        (folder / f"{name}.py").write_text(f"from members_of_a_test import THINGS\nTHINGS.add({name!r}, {name.upper()!r})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "members_of_a_test"
    for name in [name for name in sys.modules if name.startswith("members_of_a_test")]:
        del sys.modules[name]


def test_a_member_registers_itself_by_existing(package):
    import importlib

    things = importlib.import_module(package).THINGS
    assert f"{package}.stone" not in sys.modules  # nothing is imported before first use
    assert things["stone"] == "STONE"
    assert list(things) == ["cloud", "stone"]
    assert len(things) == 2
    assert "cloud" in things
    assert "tree" not in things


def test_a_member_that_cannot_be_imported_is_no_secret(package, tmp_path):
    import importlib

    (tmp_path / package / "broken.py").write_text("raise RuntimeError('broken')")
    things = importlib.import_module(package).THINGS
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            things.names()


def test_names_by_pattern(package):
    import importlib

    assert importlib.import_module(package).THINGS.names("s*") == ["stone"]


def test_a_name_that_is_not_there(package):
    import importlib

    things = importlib.import_module(package).THINGS
    with pytest.raises(UsageError) as caught:
        things["stonne"]
    assert str(caught.value) == "expected: the name of a thing\nfound: 'stonne'\nto do: did you mean stone?"


def test_a_name_is_given_once():
    things: Registry[int] = Registry("a thing", "nowhere")
    things.add("stone", 1)
    with pytest.raises(ValueError, match="two members of nowhere are called 'stone'"):
        things.add("stone", 2)


def test_a_member_may_carry_its_name():
    things: Registry[Thing] = Registry("a thing", "neocog.augment")
    things.add_named(Thing("stone"))
    assert things["stone"] == Thing("stone")
    with pytest.raises(ValueError, match=r"two members of neocog\.augment are called 'stone'"):
        things.add_named(Thing("stone"))


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("resnet81", "did you mean resnet18?"),
        ("zzz", "choose one of lenet5, resnet18"),
    ],
)
def test_closest(name, remedy):
    assert closest(name, ["lenet5", "resnet18"]) == remedy


def test_closest_shows_no_more_than_forty_names():
    remedy = closest("zzz", [f"name{i}" for i in range(50)])
    assert remedy.endswith("name39, …")
