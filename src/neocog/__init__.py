"""Train, understand, break and ship convolutional networks on the machine you have.

    import neocog

    run = neocog.train("photos/", model="resnet18", epochs=5)
    run.evaluate()
    run.predict("cat.jpg")

Names are looked up at first use, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from neocog._version import __version__

if TYPE_CHECKING:
    from neocog.api import Run, open_run, pretrained, resume, train
    from neocog.data.open import open_dataset
    from neocog.errors import NeocogError
    from neocog.models.create import create_model

__all__ = ["NeocogError", "Run", "__version__", "create_model", "open_dataset", "open_run", "pretrained", "resume", "train"]

_HOMES = {
    "NeocogError": "neocog.errors",
    "Run": "neocog.api",
    "create_model": "neocog.models.create",
    "open_dataset": "neocog.data.open",
    "open_run": "neocog.api",
    "pretrained": "neocog.api",
    "resume": "neocog.api",
    "train": "neocog.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'neocog' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
