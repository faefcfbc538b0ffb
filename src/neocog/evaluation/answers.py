"""A network's outputs for the pictures of a dataset, batch by batch."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch, Fit
from neocog.data.loader import Loader
from neocog.engine import Plan, forward, obeying
from neocog.images import Size
from neocog.models.network import Network
from neocog.targets import Labels
from neocog.tasks import Task

__all__ = ["answers", "compute", "in_classes", "pictures_at_once", "taken_at_once", "window"]

PIXELS_AT_ONCE = 512 * 32 * 32
LEAST_AT_ONCE, MOST_AT_ONCE = 8, 512


def answers(
    model: Network, task: Task, plan: Plan, loader: Loader, indices: Int64[Tensor, "n"], *, classes: Int64[Tensor, "k"] | None = None
) -> Iterator[tuple[Tensor, Batch]]:
    """Outputs and batches of the given pictures, in their order.

    Args:
        model: prepared for the plan; put into evaluation mode.
        task: what fits the pictures to the input.
        plan: how to compute.
        loader: of the dataset.
        indices: which pictures.
        classes: for each class of the dataset the network's output that stands for it; None when they are the same.

    Yields:
        outputs as float32 on the plan's device, and the batch in the network's coordinates, targets in its classes.
    """
    model.eval()
    fit, size = window(task.fit(training=False)), model.preprocess.size
    for rows in indices.split(taken_at_once(task, size)):
        batch = place(in_classes(loader.batch(rows), classes), fit, size).to(plan.device)
        yield compute(model, plan, batch), batch


def compute(model: Network, plan: Plan, batch: Batch) -> Tensor:
    """Outputs for a batch at the network's input and on the plan's device, as float32; nothing is kept for a gradient."""
    with torch.inference_mode(), obeying(plan):
        return forward(model, batch.images, plan)


def in_classes(batch: Batch, classes: Int64[Tensor, "k"] | None) -> Batch:
    """The batch with its labels in a network's classes.

    Args:
        batch: labels in the dataset's classes; other targets stay as they are.
        classes: see `answers`.
    """
    if classes is None or not isinstance(batch.targets, Labels):
        return batch
    labels = batch.targets
    return replace(batch, targets=replace(labels, classes=classes[labels.classes], others=classes[labels.others]))


def window(fit: Fit) -> Fit:
    """How a loaded picture meets the input: where pictures cover it, they are canvases already and only a window is cut."""
    return "crop" if fit == "cover" else fit


def taken_at_once(task: Task, size: Size) -> int:
    """`pictures_at_once`, and one by one for a task that answers at the pictures' own sizes."""
    return 1 if task.fit(training=False) == "native" else pictures_at_once(size)


def pictures_at_once(size: Size) -> int:
    """How many images of a size pass through the network together: large ones few, so that they fit the caches."""
    return max(LEAST_AT_ONCE, min(MOST_AT_ONCE, PIXELS_AT_ONCE // (size[0] * size[1])))
