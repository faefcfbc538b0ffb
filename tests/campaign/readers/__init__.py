"""Every reader of the project; the modules load the program only when a case runs."""

import importlib

from campaign.case import Reader

__all__ = ["MODULES", "find", "names"]

MODULES = ("pictures", "published", "folders", "pixels", "tables", "runs", "weights", "caches")


def names() -> list[str]:
    """The names of all readers."""
    return [reader.name for module in MODULES for reader in _readers(module)]


def find(name: str) -> Reader:
    """The reader of that name, or the planted fault."""
    return next(reader for module in (*MODULES, "planted") for reader in _readers(module) if reader.name == name)


def _readers(module: str) -> tuple[Reader, ...]:
    return importlib.import_module(f"campaign.readers.{module}").READERS
