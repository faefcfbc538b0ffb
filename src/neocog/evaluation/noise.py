"""The noise of a denoising's evaluation: that of the training, or another one."""

from collections.abc import Mapping
from dataclasses import field, fields, make_dataclass, replace
from typing import Any, get_type_hints

from neocog.data.clean import PairedFiles
from neocog.data.dataset import Dataset
from neocog.errors import RecipeError, UsageError
from neocog.noise import NOISES
from neocog.registry import closest
from neocog.run import Trained
from neocog.tasks import Task
from neocog.tasks.denoise import Denoise, DenoiseOptions

__all__ = ["OtherNoise", "noise_in_words", "noise_of", "refuse_pairs", "with_noise"]

NAMES = ("noise", *(item.name for name in NOISES for item in fields(NOISES[name].Options)))

OtherNoise = make_dataclass(
    "OtherNoise",
    [
        (item.name, get_type_hints(DenoiseOptions)[item.name] | None, field(default=None, metadata=item.metadata))
        for item in fields(DenoiseOptions)
        if item.name in NAMES
    ],
    frozen=True,
)
"""What can be chosen of an evaluation's noise; None leaves it as it was in the training."""


def with_noise(trained: Trained, choices: Mapping[str, Any]) -> Trained:
    """The network with other noise in its task than it was trained with; itself where there is no difference.

    Args:
        trained: a network that denoises.
        choices: fields of `OtherNoise`; see `Denoise.with_noise`.

    Raises:
        RecipeError: an unknown field, or a value that the noise does not admit.
        UsageError: the network does not denoise.
    """
    for name in choices:
        if name not in NAMES:
            raise RecipeError("an option of the noise of an evaluation", repr(name), closest(name, NAMES))
    if not choices:
        return trained
    if not isinstance(trained.task, Denoise):
        given = _given(choices)
        raise UsageError(f"a network that denoises, for the choice of {given}", f"one to {trained.task_name}", f"leave {given} out")
    task = trained.task.with_noise(choices)
    return trained if task.options == trained.task.options else replace(trained, task=task)


def refuse_pairs(dataset: Dataset, choices: Mapping[str, Any]) -> None:
    """Check that noise can be chosen for pictures.

    Raises:
        UsageError: they have noise of their own.
    """
    if choices and isinstance(dataset, PairedFiles):
        given = _given(choices)
        found = f"{dataset.name}, pairs whose noise is their own"
        raise UsageError(f"clean pictures, for the choice of {given}", found, f"leave {given} out, or name a folder of clean pictures")


def _given(choices: Mapping[str, Any]) -> str:
    """The names of what is chosen, in words, whatever their order."""
    return " and ".join(name for name in NAMES if name in choices)


def noise_of(task: Task, dataset: Dataset) -> dict[str, Any] | None:
    """The noise that the task adds to a dataset's pictures, see `Denoise.noise_choices`; None where it adds none."""
    return task.noise_choices if isinstance(task, Denoise) and not isinstance(dataset, PairedFiles) else None


def noise_in_words(noise: Mapping[str, Any]) -> str:
    """What `noise_of` gave, in a few words: "gaussian, sigma 0 to 55"."""
    levels = {name.replace("_", " "): " to ".join(f"{level:g}" for level in value) for name, value in noise.items() if name != "noise"}
    return ", ".join([str(noise["noise"]), *(f"{name} {level}" for name, level in levels.items())])
