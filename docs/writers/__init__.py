"""The writers of the documentation's tables: every public function of a module here, but for markdown's, fills the marker of its name."""

import importlib
import pkgutil
from collections.abc import Callable

__all__ = ["WRITERS"]

WRITERS: dict[str, Callable[[], str]] = {
    name: getattr(module, name)
    for found in pkgutil.iter_modules(__path__)
    if found.name != "markdown"
    for module in [importlib.import_module(f"{__name__}.{found.name}")]
    for name in module.__all__
}
