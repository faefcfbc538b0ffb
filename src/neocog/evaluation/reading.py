"""How pictures are read for a network."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from neocog.batch import Preprocess
from neocog.images import Interpolation, Size
from neocog.tasks import Scales, Task

__all__ = ["Reading", "reading_of", "scale_of"]


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


def reading_of(preprocess: Preprocess, task: Task, canvas: Size | None = None) -> Reading:
    """What a network for a task wants: of a task that scales pictures itself its input's own size.

    Args:
        preprocess: of the network.
        task: of the network.
        canvas: another one than the network's own.
    """
    return Reading.of(preprocess, preprocess.size if isinstance(task, Scales) else canvas)


def scale_of(task: Task, reading: Reading) -> Callable[[Size], Size] | None:
    """Gives the height and width at which a picture is shown, of those of its source; None for these themselves."""
    return partial(task.scaled, size=reading.canvas) if isinstance(task, Scales) else None
