"""How often a network's decision stays the same when the picture is shifted.

R. Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019, https://arxiv.org/abs/1904.11486
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from neocog.augment import warp
from neocog.batch import Batch
from neocog.data.loader import Loader
from neocog.engine import forward, obeying
from neocog.errors import UsageError
from neocog.evaluation.answers import pictures_at_once
from neocog.images import Size
from neocog.metrics.classification import wilson_interval
from neocog.progress import Progress, Silent
from neocog.random import uniform
from neocog.run import Trained

__all__ = ["ShiftConsistency", "drawn_shifts", "shift_consistency", "shifted"]

SHARE = 8  # of a side, where no real pixels tell how far to shift: 4 of 32


@dataclass(frozen=True)
class ShiftConsistency:
    """How often two shifted copies of a picture are given the same class.

    Attributes:
        split: what the pictures are called.
        shift: the largest shift, in pixels of the network's input, up, down, left and right.
        filled: what comes in at the borders: the canvas's own pixels, or where these do not reach the picture's reflection.
        pictures: how many were asked about, each with one pair of shifts.
        same: how many of them were given the same class twice.
    """

    split: str
    shift: int
    filled: Literal["real pixels", "reflection"]
    pictures: int
    same: int

    @property
    def consistency(self) -> float:
        """The share of the pictures whose two classes are the same, in [0, 1]."""
        return self.same / self.pictures

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson."""
        return wilson_interval(self.same, self.pictures)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "split": self.split,
            "shift": self.shift,
            "filled": self.filled,
            "pictures": self.pictures,
            "consistency": self.consistency,
            "interval": list(self.interval()),
        }


def shift_consistency(
    trained: Trained,
    loader: Loader,
    indices: Int64[Tensor, "n"],
    *,
    shift: int | None = None,
    split: str = "all",
    progress: Progress | None = None,
) -> ShiftConsistency:
    """Ask about two shifted copies of each picture.

    Both shifts are drawn evenly from the (2 shift + 1)² whole pixels that lie at most `shift` from the middle, as the
    paper draws its two crops; a picture's draws depend on its place in the dataset alone. Where the canvas is so much
    larger than the input, the copies are windows of it; else what comes in is the canvas's reflection.

    Args:
        trained: a network that classifies.
        loader: of the dataset.
        indices: which pictures.
        shift: the largest, in pixels of the input; None takes as many as the canvas has real pixels for, or an eighth
            of the input's shorter side where it has none.
        split: what the pictures are called.
        progress: told of every batch.

    Raises:
        UsageError: the network does not classify, or a shift of no pixels or by the whole picture.
    """
    if loader.gathered is None:
        remedy = "leave it away"
        raise UsageError("a network that classifies, for shift consistency", f"{trained.name}, for the task {trained.task_name}", remedy)
    size, canvas = trained.preprocess.size, loader.gathered.canvas
    real = min((canvas[0] - size[0]) // 2, (canvas[1] - size[1]) // 2)
    most = min(size) - 1
    shift = shift if shift is not None else real or max(1, min(size) // SHARE)
    if not 1 <= shift <= most:
        raise UsageError(f"a shift of 1 to {most} pixels for {size[0]}x{size[1]} images", str(shift), "choose another")
    progress = progress or Silent()
    progress.start(f"shifting {split}", len(indices))
    same, model, plan = 0, trained.model.eval(), trained.plan
    for rows in indices.split(pictures_at_once(size)):
        batch = loader.batch(rows)
        with torch.inference_mode(), obeying(plan):
            copies = (shifted(batch, shifts, size).to(plan.device) for shifts in drawn_shifts(rows, shift))
            first, second = (forward(model, copy.images, plan).argmax(dim=1) for copy in copies)
            same += int((first == second).sum())
        progress.advance(len(batch))
    progress.done()
    return ShiftConsistency(split, shift, "real pixels" if shift <= real else "reflection", len(indices), same)


def drawn_shifts(keys: Int64[Tensor, "b"], most: int) -> tuple[Int64[Tensor, "b 2"], Int64[Tensor, "b 2"]]:
    """The two shifts (x, y) of each picture, in pixels to the right and down, from -most to most.

    Args:
        keys: which picture of the dataset each one is.
        most: pixels.
    """
    drawn = torch.floor(uniform(0, "shift consistency", 0, keys, 4) * (2 * most + 1)).long() - most
    return drawn[:, :2], drawn[:, 2:]


def shifted(batch: Batch, shifts: Int64[Tensor, "b 2"], size: Size) -> Batch:
    """The window in the middle of each canvas, with what it shows shifted."""
    height, width = batch.pixels.shape[2:]
    corner = torch.tensor([width - size[1] + 1, height - size[0] + 1]) // 2  # as evaluation cuts it
    matrices = torch.eye(3, dtype=torch.float64).repeat(len(batch), 1, 1)
    matrices[:, :2, 2] = (shifts - corner).to(torch.float64)
    return warp(batch, matrices, size, reflect=True)
