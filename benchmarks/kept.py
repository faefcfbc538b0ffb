"""How results are kept for the tables of the documentation: with the machine and the day that they are of."""

import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neocog.files import write_atomically
from neocog.machine import this_machine, usable_cores

__all__ = ["keep", "known", "measured_on"]


def measured_on() -> dict[str, Any]:
    """The machine and the day."""
    here = this_machine()
    machine = {"processor": here.processor, "cores": usable_cores(), "torch": here.torch, "python": platform.python_version()}
    return {"machine": machine, "date": time.strftime("%Y-%m-%d")}


def known(path: Path) -> dict[str, Any]:
    """What a file holds from earlier; nothing where it is not there."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep(path: Path, content: Mapping[str, Any]) -> None:
    """Write a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
