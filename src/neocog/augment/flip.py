"""Random mirror images."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from neocog.augment.member import AUGMENTATIONS, Draw, Frame, Geometry, identity
from neocog.options import check, option

__all__ = ["Options", "mirror"]


@dataclass(frozen=True)
class Options:
    """Mirror a picture left to right, and top to bottom, each with a probability."""

    flip_probability: float = option(0.5, "probability of a mirror image left to right, from 0 to 1", low=0, high=1)
    flip_vertical_probability: float = option(0.0, "probability of a mirror image top to bottom, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def mirror(horizontal: Tensor, vertical: Tensor, frame: Frame) -> Float[Tensor, "b 3 3"]:
    """The maps that mirror the input left to right, top to bottom, both or neither.

    Args:
        horizontal: "b", whether left and right change places.
        vertical: "b", whether top and bottom do.
        frame: gives the size of the input.
    """
    matrices = identity(len(horizontal), horizontal.device)
    for axis, chosen, extent in ((0, horizontal, frame.size[1]), (1, vertical, frame.size[0])):
        matrices[:, axis, axis] = 1.0 - 2.0 * chosen
        matrices[:, axis, 2] = float(extent) * chosen
    return matrices


def _matrices(options: Options, draw: Draw, frame: Frame) -> Float[Tensor, "b 3 3"]:
    horizontal, vertical = draw.uniform(2).unbind(1)
    return mirror(horizontal < options.flip_probability, vertical < options.flip_vertical_probability, frame)


AUGMENTATIONS.add("flip", Geometry(Options, _matrices, exact=True))
