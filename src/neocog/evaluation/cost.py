"""What several networks and several views cost, beside one network that sees every picture once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Cost", "Stopwatch"]


@dataclass
class Stopwatch:
    """What one network took so far.

    Attributes:
        warm: whether it has been used; its first use would be timed slower than all later ones.
        views: how often it sees a picture.
        whole: seconds for all views.
        single: seconds for the first view of each picture.
    """

    warm: bool = False
    views: int = 0
    whole: float = 0.0
    single: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What it took to make the views and to pass them through the networks; reading the pictures does not count.

    Attributes:
        networks: how many there are.
        views: how often each sees a picture.
        seconds: of all together.
        single_seconds: of the first network, for one view of each picture.
    """

    networks: int
    views: int
    seconds: float
    single_seconds: float

    @classmethod
    def of(cls, watches: Sequence[Stopwatch]) -> "Cost":
        """What the members' stopwatches show."""
        return cls(len(watches), watches[0].views, sum(watch.whole for watch in watches), watches[0].single)

    @property
    def ratio(self) -> float:
        """How many times the seconds of one network and one view were needed."""
        return self.seconds / max(self.single_seconds, 1e-9)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Cost":
        """The inverse of `to_dict`."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON, with the ratio."""
        return {**asdict(self), "ratio": self.ratio}

    def describe(self) -> str:
        """The cost in a few words."""
        networks = f"{self.networks} network{'s' if self.networks > 1 else ''}"
        views = f"{self.views} view{'s' if self.views > 1 else ''} of each picture"
        return f"{networks}, {views}: {self.ratio:.1f} times the seconds of one network and one view"
