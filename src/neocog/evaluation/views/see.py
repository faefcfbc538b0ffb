"""How the members of this folder are put together: every view of one with every view of the others."""

from collections.abc import Iterator, Sequence

from jaxtyping import Float
from torch import Tensor

from neocog.augment import warp
from neocog.batch import Batch, Preprocess
from neocog.errors import UsageError
from neocog.evaluation.views.view import VIEWS, View, translations
from neocog.images import Size

__all__ = ["canvas_of", "chosen", "middle", "see"]


def chosen(names: Sequence[str]) -> list[View]:
    """The members of these names, in alphabetical order, each once; one that cuts windows out comes first.

    Raises:
        UsageError: a name is unknown, or two members would each cut windows out.
    """
    members = {name: VIEWS[name] for name in sorted(set(names))}
    cutting = [name for name, member in members.items() if member.canvas is not None]
    if len(cutting) > 1:
        raise UsageError("one view that cuts windows out", " and ".join(cutting), "leave all but one away")
    return sorted(members.values(), key=lambda member: member.canvas is None)


def canvas_of(names: Sequence[str], preprocess: Preprocess) -> Size:
    """Height and width at which pictures must be read for these views."""
    return next((member.canvas(preprocess) for member in chosen(names) if member.canvas is not None), preprocess.resize)


def see(batch: Batch, names: Sequence[str], size: Size) -> Iterator[Batch]:
    """The views of a batch, one after the other, each as a batch at the network's input; the plain one comes first.

    Each picture moves once, by one map; what a view shows from beyond the canvas is its reflection.

    Args:
        batch: canvases, as the loader gives them.
        names: of members; see `VIEWS`.
        size: height and width of the input.

    Raises:
        UsageError: as `chosen`.
    """
    for matrix in _maps(names, (batch.pixels.shape[2], batch.pixels.shape[3]), size):
        yield warp(batch, matrix.expand(len(batch), 3, 3), size, reflect=True)


def middle(canvas: Size, size: Size) -> tuple[int, int]:
    """Left and top of the window in the middle, where a network without views looks."""
    return (canvas[1] - size[1] + 1) // 2, (canvas[0] - size[0] + 1) // 2


def _maps(names: Sequence[str], canvas: Size, size: Size) -> Float[Tensor, "v 3 3"]:
    left, top = middle(canvas, size)
    maps = translations([(-left, -top)])
    for member in chosen(names):
        own = member.maps(canvas, size)
        maps = own if member.canvas is not None else (own[:, None] @ maps).flatten(0, 1)
    return maps
