"""Tables of what can be chosen: every member of the open folders with its options, and the fields of a recipe."""

import dataclasses
from typing import Any

from neocog.augment import AUGMENTATIONS
from neocog.data.registry import DATASETS, LAYOUTS
from neocog.evaluation import VIEWS
from neocog.optim import OPTIMIZERS, SCHEDULES
from neocog.recipe import TABLES, Recipe
from neocog.tasks import TASKS
from neocog.training.loggers import LOGGERS
from writers.markdown import members, options, table, typed

__all__ = ["augmentations", "datasets", "layouts", "loggers", "optimizers", "recipe", "schedules", "tasks", "views"]


def datasets() -> str:
    """Every named dataset."""
    return table(("name", "what it is", "terms"), ((f"`{name}`", DATASETS[name].summary, DATASETS[name].licence) for name in DATASETS))


def layouts() -> str:
    """Every layout of a folder or file."""
    return table(("layout", "how it lies on disk", "task"), ((name, LAYOUTS[name].summary, LAYOUTS[name].task) for name in LAYOUTS))


def augmentations() -> str:
    """Every augmentation with its options."""
    return members(AUGMENTATIONS)


def views() -> str:
    """Every view of test-time augmentation."""
    return table(("name", "what is seen", "source"), ((f"`{name}`", VIEWS[name].summary, VIEWS[name].source) for name in VIEWS))


def optimizers() -> str:
    """Every optimizer with its options."""
    return members(OPTIMIZERS)


def schedules() -> str:
    """Every schedule with its options."""
    return members(SCHEDULES)


def loggers() -> str:
    """Every log for other programs."""
    rows = ((f"`{name}`", LOGGERS[name].summary, f"`pip install 'neocog[{name}]'`") for name in LOGGERS)
    return table(("name", "what it writes", "needs"), rows)


def recipe() -> str:
    """Every field of a recipe."""
    own = [field for field in dataclasses.fields(Recipe) if field.name not in {*TABLES.values(), "augment_options"}]
    rows = ((f"`{field.name}`", field.metadata["help"], DEFAULTS.get(field.name) or _default(field.default)) for field in own)
    return table(("field", "what it is", "default"), rows)


DEFAULTS = {
    "weights": "none",
    "adversarial": "none",
    "learning_rate": "by the network and the optimizer",
    "weight_decay": "by the optimizer",
}
"""Of fields of a recipe whose default is None, where it is not chosen from the data."""


def _default(value: Any) -> str:
    if value is None:
        return "from the data"
    return f"`{typed(value)}`" if value != "" else ""


def tasks() -> str:
    """Every option of every task."""
    rows = ((f"`{name}`", options(TASKS[name].Options)) for name in TASKS)
    return table(("task", "options"), rows)
