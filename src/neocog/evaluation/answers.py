"""A network's outputs for the pictures of a dataset, batch by batch."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch, Fit
from neocog.data.loader import Loader
from neocog.engine import Plan, forward, obeying
from neocog.engine.tiles import answers_by_tiles
from neocog.evaluation.classes import in_classes
from neocog.images import Size
from neocog.models.network import Network
from neocog.targets import Cleans
from neocog.tasks import Task

__all__ = ["answers", "compute", "in_classes", "pictures_at_once", "taken_at_once", "window"]

PIXELS_AT_ONCE = 512 * 32 * 32
LEAST_AT_ONCE, MOST_AT_ONCE = 8, 512


def answers(
    model: Network,
    task: Task,
    plan: Plan,
    loader: Loader,
    indices: Int64[Tensor, "n"],
    *,
    classes: Int64[Tensor, "k"] | None = None,
    largest: Size | None = None,
) -> Iterator[tuple[Tensor, Batch]]:
    """Outputs and batches of the given pictures, in their order.

    Args:
        model: prepared for the plan; put into evaluation mode.
        task: what fits the pictures to the input.
        plan: how to compute.
        loader: of the dataset.
        indices: which pictures.
        classes: for each class of the dataset the network's output that stands for it; None when they are the same.
        largest: pictures to restore that are larger are shown by a window of this size in their middle; None for whole ones.

    Yields:
        outputs as float32 on the plan's device, and the batch in the network's coordinates, targets in its classes.
    """
    model.eval()
    fit, size = window(task.fit(training=False)), model.preprocess.size
    for rows in indices.split(taken_at_once(task, size)):
        batch = task.disturb(in_classes(loader.batch(rows), classes), 0, None)
        if largest is not None and isinstance(batch.targets, Cleans):
            height, width = (min(side, most) for side, most in zip(batch.pixels.shape[2:], largest, strict=True))
            batch = place(batch, "crop", (height, width))
        batch = place(batch, fit, size).to(plan.device)
        yield compute(model, plan, batch, native=fit == "native"), batch


def compute(model: Network, plan: Plan, batch: Batch, *, native: bool = False) -> Tensor:
    """Outputs for a batch at the network's input and on the plan's device, as float32; nothing is kept for a gradient.

    Args:
        model: prepared for the plan, in evaluation mode.
        plan: how to compute.
        batch: at the network's input.
        native: whether it has pictures in their own pixels, whose answers are maps: large ones are answered in tiles.
    """
    if native or model.task == "denoise":
        return _in_tiles(model, plan, batch.pixels)
    with torch.inference_mode(), obeying(plan):
        return forward(model, batch.images, plan)


def _in_tiles(model: Network, plan: Plan, pixels: Shaped[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
    whole: Tensor | None = None
    for tile, answer in answers_by_tiles(model, plan, pixels):
        if tile.core.size == pixels.shape[2:]:
            return answer
        if whole is None:
            whole = answer.new_empty((*answer.shape[:2], *pixels.shape[2:]))
        tile.core.of(whole).copy_(answer)
    assert whole is not None  # there is no picture without a tile
    return whole


def window(fit: Fit) -> Fit:
    """How a loaded picture meets the input: where pictures cover it, they are canvases already and only a window is cut."""
    return "crop" if fit == "cover" else fit


def taken_at_once(task: Task, size: Size) -> int:
    """`pictures_at_once`, and one by one for a task that answers at the pictures' own sizes."""
    return 1 if task.fit(training=False) == "native" else pictures_at_once(size)


def pictures_at_once(size: Size) -> int:
    """How many images of a size pass through the network together: large ones few, so that they fit the caches."""
    return max(LEAST_AT_ONCE, min(MOST_AT_ONCE, PIXELS_AT_ONCE // (size[0] * size[1])))
