"""Begin a training, or go on with one, as on the command line."""

from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

from neocog.api.run import Run, open_run
from neocog.errors import UsageError
from neocog.progress import shown_or_silent
from neocog.recipe import Recipe, chosen_over, read_recipe
from neocog.training import resume as resume_training
from neocog.training import train as run_training

__all__ = ["resume", "train"]

Place = str | PathLike[str]


def train(
    dataset: Place | None = None,
    *,
    out: Place | None = None,
    recipe: Place | Recipe | None = None,
    find_lr: bool = False,
    profile: bool = False,
    progress: bool = True,
    **choices: Any,
) -> Run:
    """Train a network.

        run = neocog.train("photos/", model="resnet18", epochs=5)

    Args:
        dataset: name or path; None takes the recipe's.
        out: the run's folder; None takes the next free runs/<dataset>-<model>-<n>.
        recipe: to begin from; `choices` go before it. Another member than the recipe's leaves the options of
            that one behind.
        find_lr: whether to find the learning rate by a short trial first; its curve is kept in the run.
        profile: whether to measure where the time of the epochs goes; `Run.result.profile` has it, and profile.json.
        progress: whether to show how far it is.
        choices: fields of `Recipe`, and options of the members that are chosen ("label_smoothing").

    Raises:
        UsageError: an unknown name or a wrong value.
        DataError: the data cannot be used.
        SurroundingsError: no room, no memory, no permission.
        DivergedError: the loss is no longer a number.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    start = recipe if isinstance(recipe, Recipe) else Recipe() if recipe is None else read_recipe(Path(recipe))
    own = {item.name for item in fields(Recipe)}
    given = {name: value for name, value in choices.items() if name in own}
    if dataset is not None:
        given["dataset"] = str(dataset)
    chosen = chosen_over(start, given)
    if not chosen.dataset:
        raise UsageError("the name of a dataset or the path of a folder", "neither", "give one, as digits")
    options = {name: value for name, value in choices.items() if name not in own}
    with shown_or_silent(progress) as shown:
        result = run_training(chosen, None if out is None else Path(out), shown, options, find_rate=find_lr, profile=profile)
    return open_run(result.run)


def resume(run: Place, *, profile: bool = False, progress: bool = True) -> Run:
    """Go on with a training that was stopped, to the same bits as if it had not been.

    Args:
        run: its folder.
        profile: as for `train`.
        progress: whether to show how far it is.

    Raises:
        UsageError, RunError: there is no run, or a file of it is missing or damaged.
        DataError: the data are not what the run was begun with.
        Interrupted: stopped by a signal; the remedy says how to go on.
    """
    with shown_or_silent(progress) as shown:
        result = resume_training(Path(run), shown, profile=profile)
    return open_run(result.run)
