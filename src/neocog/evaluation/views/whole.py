"""Views of whole pictures, for tasks whose answers are maps: each view is brought back before the answers are averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.augment import fitted, warp
from neocog.augment.resample import move, plan
from neocog.batch import Batch, Fit
from neocog.errors import UsageError
from neocog.evaluation.views.see import chosen
from neocog.evaluation.views.view import VIEWS
from neocog.images import Size

__all__ = ["Seen", "require_whole", "see_whole"]


@dataclass(frozen=True)
class Seen:
    """One view of a batch.

    Attributes:
        batch: at the network's input.
        matrix: how points of the input were moved beside the first view; None where nothing is to be brought back.
    """

    batch: Batch
    matrix: Float[Tensor, "3 3"] | None = None

    def moved_back(self, outputs: Tensor) -> Tensor:
        """Outputs "b k h w" of the view where the first view has them."""
        if self.matrix is None:
            return outputs
        size = outputs.shape[2], outputs.shape[3]
        back = torch.linalg.inv(self.matrix).expand(len(outputs), 3, 3).to(outputs.device)
        sizes = torch.tensor(size, device=outputs.device).expand(len(outputs), 2)
        return move(outputs, plan(back, sizes, size, False))


def require_whole(names: Sequence[str]) -> None:
    """Check that every view shows all of a picture.

    Raises:
        UsageError: an unknown view, or one that does not; those that do are named.
    """
    for name in names:
        if not VIEWS[name].whole:
            admitted = ", ".join(known for known in VIEWS if VIEWS[known].whole)
            raise UsageError(f"views of the whole picture ({admitted}), as the answer has a place in it", name, "leave it away")


def see_whole(batch: Batch, names: Sequence[str], fit: Fit, size: Size) -> Iterator[Seen]:
    """The views of a batch, one after the other; the plain one comes first.

    Args:
        batch: as the loader gives it.
        names: of views that show all of a picture.
        fit: how a picture meets the input.
        size: height and width of the input; of no account for "native".
    """
    raster = (batch.pixels.shape[2], batch.pixels.shape[3]) if fit == "native" else size
    maps = torch.eye(3, dtype=torch.float64)[None]
    for member in chosen(names):
        maps = (member.maps(raster, raster)[:, None] @ maps).flatten(0, 1)
    first = fitted(batch, fit, size)
    for matrix in maps:
        yield Seen(warp(batch, matrix @ first, raster), matrix)
