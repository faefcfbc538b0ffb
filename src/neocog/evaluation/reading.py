"""How pictures are read for a network."""

from dataclasses import dataclass
from typing import Literal

from neocog.batch import Preprocess
from neocog.images import Interpolation, Size

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """What must be alike so that two networks can be shown pictures that were read once.

    Attributes:
        canvas: height and width that a picture is made to cover, where the task wants it so.
        channels: 1 for grey, 3 for red, green and blue.
        interpolation: filter of the resizing.
    """

    canvas: Size
    channels: Literal[1, 3]
    interpolation: Interpolation

    @classmethod
    def of(cls, preprocess: Preprocess, canvas: Size | None = None) -> "Reading":
        """What a network wants.

        Args:
            preprocess: of the network.
            canvas: another one than its own.
        """
        return cls(canvas or preprocess.resize, 1 if preprocess.channels == 1 else 3, preprocess.interpolation)
