"""What a member of this folder is, and the registry that finds it.

A member is one file: a function that gives a few affine maps, one for each view of a picture. Nothing in it is random.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.registry import Registry

__all__ = ["VIEWS", "View", "translations"]


@dataclass(frozen=True)
class View:
    """One way to see a picture several times.

    Attributes:
        summary: what is seen, in one line without a full stop.
        maps: (canvas, size) -> affine maps "v 3 3" of (x, y, 1) in pixels, float64. `canvas` is height and width of the
            picture as it was read, `size` that of the network's input. The first map shows the picture as it is
            seen without the member.
        canvas: of a member that cuts windows out: the canvas that it needs. Its maps lead from there to the input;
            those of a member without one move points of the input.
        mirrors: whether mirror images are among the views.
        whole: whether every view shows all of a picture, mirrored or turned by quarters: answers that are maps can be brought back.
        source: where the method comes from.
    """

    summary: str
    maps: Callable[[Size, Size], Tensor]
    canvas: Callable[[Preprocess], Size] | None = None
    mirrors: bool = False
    whole: bool = False
    source: str = ""


VIEWS: Registry[View] = Registry("a view", "neocog.evaluation.views")


def translations(offsets: Sequence[tuple[int, int]]) -> Float[Tensor, "v 3 3"]:
    """The maps that move points to the right and down by whole pixels (x, y)."""
    maps = torch.eye(3, dtype=torch.float64).repeat(len(offsets), 1, 1)
    maps[:, :2, 2] = torch.tensor(offsets, dtype=torch.float64)
    return maps
