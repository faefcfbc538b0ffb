"""One dict per open folder: adding a member is one new file, and everything else finds it here."""

import difflib
import fnmatch
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, cast

from neocog.errors import UsageError

__all__ = ["Registry", "closest"]

Member = TypeVar("Member")
MOST_NAMES_SHOWN = 40


def closest(name: str, names: Sequence[str]) -> str:
    """The remedy for a misspelt name: the known names nearest to it, or all of them when none is near."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:MOST_NAMES_SHOWN])
    return f"choose one of {shown}{', …' if len(names) > MOST_NAMES_SHOWN else ''}"


class Registry(Generic[Member]):
    """The members of one folder by name, in alphabetical order.

    The folder's modules are imported at first use, so that a member registers itself by existing and a
    program that uses none of them pays nothing.

    Args:
        kind: what a member is, in the words of an error message ("architecture").
        package: the dotted name of the folder ("neocog.models").
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._members: dict[str, Member] = {}
        self._complete = False

    def add(self, name: str, member: Member) -> None:
        """Register a member.

        Raises:
            ValueError: the name is taken; two files of one folder claim it.
        """
        if name in self._members:
            raise ValueError(f"two members of {self.package} are called {name!r}")
        self._members[name] = member

    def add_named(self, member: Member) -> None:
        """Register a member that carries its name, as `member.name`.

        Raises:
            ValueError: as for `add`.
        """
        self.add(cast(Any, member).name, member)

    def __getitem__(self, name: str) -> Member:
        """The member of that name.

        Raises:
            UsageError: there is none; the message suggests the nearest names.
        """
        self._complete_members()
        if name not in self._members:
            raise UsageError(f"the name of {self.kind}", repr(name), closest(name, self.names()))
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        self._complete_members()
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def names(self, pattern: str = "*") -> list[str]:
        """The names that match a shell pattern such as ``resnet*``, sorted."""
        self._complete_members()
        return sorted(name for name in self._members if fnmatch.fnmatchcase(name, pattern))

    def _complete_members(self) -> None:
        if self._complete:
            return
        self._complete = True  # before the imports: a module may look its own folder up
        try:
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self.package}.{module.name}")
        except BaseException:
            self._complete = False  # so that the next use fails for the same reason, not for a missing name
            raise
