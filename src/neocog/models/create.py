"""From a name to a network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from neocog.errors import UsageError
from neocog.images import Size
from neocog.models.entry import MODELS, Entry, ModelSpec, adapt_preprocess
from neocog.models.network import Network
from neocog.models.published import open_weights
from neocog.models.state import StateFile
from neocog.models.weights import load_weights, outputs_of
from neocog.options import options_of
from neocog.targets import TaskName

__all__ = ["create_model"]


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int = 3,
    weights: Path | str | None = None,
    image_size: Size | None = None,
    class_names: Sequence[str] | None = None,
    task: TaskName | None = None,
    **options: Any,
) -> Network:
    """A network in training mode, with weights from a file or initial ones from torch's global generator.

    Args:
        name: of the architecture, as `neocog models` lists them.
        num_classes: None takes as many as there are class names, else as the weights have, else the paper's; for denoising
            it is the number of channels, whatever is given.
        in_channels: channels of the images.
        weights: a safetensors file or a torch state dict, see `load_weights`; or the name of published weights
            that are here, as "imagenet", see `neocog.models.published`.
        image_size: height and width of the images; None takes what the weights were trained at, else the
            architecture's own.
        class_names: names, or WordNet identifiers, of the classes; rows of the file's head are used again where they match.
        task: what it is built for; None takes what the weights were trained for, else the architecture's first.
        options: fields of the architecture's Options.

    Returns:
        the network; `weights_report` says what loading did, `preprocess` how it wants its images.

    Raises:
        UsageError: an unknown name, or a task, a size, a number of channels or of classes that is not admitted.
        SurroundingsError: the published weights are not here.
        RecipeError: an unknown option, or a value that it does not admit.
        WeightsError: the file cannot be used.
    """
    entry = MODELS[name]
    chosen: Any = options_of(entry.Options, options, f"the model {name}")
    _check(entry, in_channels, num_classes, class_names)
    state = None if weights is None else open_weights(name, weights)
    known = state.preprocess if state is not None and state.preprocess is not None else entry.preprocess
    size = image_size or known.size
    if min(size) < entry.min_size:
        raise UsageError(
            f"images of at least {entry.min_size}x{entry.min_size} pixels for {name}",
            f"{size[0]}x{size[1]}",
            "choose a larger image size, or another architecture",
        )
    chosen_task = _task(entry, task, state)
    denoises = chosen_task == "denoise"
    classes = in_channels if denoises else num_classes or len(class_names or ()) or entry.classes
    spec = ModelSpec(classes, in_channels, adapt_preprocess(known, in_channels, size), chosen, chosen_task)
    if state is not None and num_classes is None and not class_names and not denoises:
        spec = _as_many_classes(spec, entry, state)
    model = entry.build(spec)
    model.task = spec.task
    if state is not None:
        model.weights_report = load_weights(model, state, entry, class_names)
    return model


def _check(entry: Entry, in_channels: int, num_classes: int | None, class_names: Sequence[str] | None) -> None:
    if in_channels not in entry.channels:
        admitted = ", ".join(map(str, sorted(entry.channels)))
        raise UsageError(f"images of {admitted} channels for {entry.name}", str(in_channels), "convert the images")
    if num_classes is not None and num_classes < 1:
        raise UsageError("at least one class", str(num_classes), "give the number of classes")
    if num_classes is not None and class_names is not None and num_classes != len(class_names):
        raise UsageError(f"{num_classes} class names", f"{len(class_names)}", "give one name for each class")


def _task(entry: Entry, task: TaskName | None, state: StateFile | None) -> TaskName:
    """What is asked for, else what the weights were trained for, else what the architecture is for first."""
    if task is not None and task not in entry.tasks:
        raise UsageError(f"a task of {entry.name} ({', '.join(entry.tasks)})", task, "choose one of them, or an architecture for that task")
    trained_for = None if state is None else state.metadata.get("task")
    known = [name for name in (task, trained_for) if name in entry.tasks]
    return known[0] if known else entry.tasks[0]


def _as_many_classes(spec: ModelSpec, entry: Entry, state: StateFile) -> ModelSpec:
    with torch.device("meta"):
        outputs = outputs_of(state, entry.build(spec), entry)
    return replace(spec, num_classes=outputs or spec.num_classes)
