"""Views of whole pictures, for tasks whose answers are maps: each view is brought back before the answers are averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Shaped
from torch import Tensor

from neocog.augment import place
from neocog.batch import Batch, Fit
from neocog.engine.tiles import Region
from neocog.errors import UsageError
from neocog.evaluation.views.see import chosen
from neocog.evaluation.views.view import VIEWS
from neocog.images import Size

__all__ = ["Orientation", "Seen", "orientations", "require_whole", "see_whole"]


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a picture down: rows and columns exchanged or not, then mirrored or not. No value changes.

    Attributes:
        exchanged: whether rows become columns.
        across: whether it is then mirrored left to right.
        down: whether it is then mirrored top to bottom.
    """

    exchanged: bool = False
    across: bool = False
    down: bool = False

    @property
    def inverse(self) -> "Orientation":
        """The way back."""
        across, down = (self.down, self.across) if self.exchanged else (self.across, self.down)
        return Orientation(self.exchanged, across, down)

    def of(self, maps: Shaped[Tensor, "*leading h w"]) -> Shaped[Tensor, "*leading rows columns"]:
        """Pictures, or maps, laid so."""
        axes = [axis for axis, mirrored in ((-2, self.down), (-1, self.across)) if mirrored]
        maps = maps.mT if self.exchanged else maps
        return maps.flip(axes) if axes else maps

    def of_size(self, size: Size) -> Size:
        """Height and width of a picture that is laid so."""
        return (size[1], size[0]) if self.exchanged else size

    def of_region(self, region: Region, size: Size) -> Region:
        """Where a region of a picture of this height and width comes to lie."""
        height, width = self.of_size(size)
        top, left, bottom, right = region.top, region.left, region.bottom, region.right
        if self.exchanged:
            top, left, bottom, right = left, top, right, bottom
        if self.across:
            left, right = width - right, width - left
        if self.down:
            top, bottom = height - bottom, height - top
        return Region(top, left, bottom, right)


@dataclass(frozen=True)
class Seen:
    """One view of a batch.

    Attributes:
        batch: at the network's input; where pictures are laid otherwise than in the first view, nothing but their pixels counts.
        way: how they are laid beside the first view.
    """

    batch: Batch
    way: Orientation = Orientation()

    def moved_back(self, outputs: Tensor) -> Tensor:
        """Outputs "b k h w" of the view where the first view has them."""
        return self.way.inverse.of(outputs)


def require_whole(names: Sequence[str]) -> None:
    """Check that every view shows all of a picture.

    Raises:
        UsageError: an unknown view, or one that does not; those that do are named.
    """
    for name in names:
        if not VIEWS[name].whole:
            admitted = ", ".join(known for known in VIEWS if VIEWS[known].whole)
            raise UsageError(f"views of the whole picture ({admitted}), as the answer has a place in it", name, "leave it away")


def orientations(names: Sequence[str]) -> list[Orientation]:
    """How a picture is laid in each view of these names, the plain one first.

    Args:
        names: of views that show all of a picture.
    """
    turns = torch.eye(2, dtype=torch.float64)[None]
    for member in chosen(names):  # of whole pictures nothing but the direction of the axes is to be said
        turns = (member.maps((1, 1), (1, 1))[:, None, :2, :2] @ turns).flatten(0, 1)
    return [_orientation(turn) for turn in turns.round().tolist()]


def _orientation(turn: list[list[float]]) -> Orientation:
    """Of a map of (x, y) whose rows have one number other than 0 each, 1 or -1."""
    across, down = (sum(row) < 0 for row in turn)
    return Orientation(turn[0][0] == 0, across, down)


def see_whole(batch: Batch, names: Sequence[str], fit: Fit, size: Size) -> Iterator[Seen]:
    """The views of a batch, one after the other; the plain one comes first.

    Args:
        batch: as the loader gives it.
        names: of views that show all of a picture.
        fit: how a picture meets the input.
        size: height and width of the input; of no account for "native".
    """
    first = place(batch, fit, size)
    for way in orientations(names):
        yield Seen(first if way == Orientation() else replace(first, pixels=way.of(first.pixels), targets=None, valid=None), way)
