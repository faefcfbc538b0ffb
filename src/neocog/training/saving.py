"""How often a training is saved: often enough that a kill costs little, seldom enough that saving does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["SHARE", "Budget"]

SHARE = 0.02  # of a training's time that saving may take
STILL_TO_COME = 2  # saves at the ends of the last two epochs, for which room is left


class Budget:
    """What saving costs, and whether one more save is within its share of the time since the training began or went on.

    What is saved changes no result: a resumed training does anew whatever followed the last checkpoint.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._spent = 0.0
        self._saves = 0

    @property
    def allows(self) -> bool:
        """Whether a save is within the share, with those that must come yet. The first is: nobody knows yet what it costs."""
        if not self._saves:
            return True
        expected = self._spent + self._spent / self._saves * (1 + STILL_TO_COME)
        return expected <= SHARE * (self._clock() - self._began)

    @contextmanager
    def saving(self, *, whole: bool) -> Iterator[None]:
        """Inside, something is written.

        Args:
            whole: whether that completes a save; else it is a part of the next one.
        """
        started = self._clock()
        yield
        self._spent += self._clock() - started
        self._saves += whole
