"""What `neocog attack` can be asked for, whatever the kind of the method: one driver for each kind, found in a registry.

A driver answers with the same `Findings` as a method that explains, so that both are saved and shown alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neocog.attack import Norm
from neocog.examine.member import Asked, Findings
from neocog.options import check, option
from neocog.progress import Progress
from neocog.registry import Registry
from neocog.run import Trained

__all__ = ["STRESSES", "Stress", "StressQuestion", "StressRequest"]


@dataclass(frozen=True)
class StressQuestion:
    """What can be asked of every method: the single source of the flags of `neocog attack` and of what `Run.attack` takes."""

    epsilon: tuple[float, ...] = option(
        (), "radii of the balls on the scale from 0 to 1, as 8/255 or 0.03; by itself what suits the norm", low=0, flag="E"
    )
    norm: Norm | None = option(None, "how the radii are measured; each method's own by itself")
    targeted: str | None = option(None, "aim at this class; at any wrong one by itself", flag="CLASS")
    pictures: int = option(1000, "most pictures that are taken, drawn at random", low=1)
    split: str | None = option(None, "train, val or test of the data; test, else val, else all pictures by itself", flag="NAME")
    speed: Literal["auto", "exact"] = option("auto", "auto measures the fastest way to compute gradients; exact is plain float32")
    arrays: bool = option(False, "write the numbers behind the sheets too, as npz")
    seed: int = option(0, "of all draws", low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class StressRequest:
    """What is asked of a driver.

    Attributes:
        trained: the network.
        methods: by name in `ATTACKS`, all of the driver's kind, each with an instance of its Options.
        open_data: reads the dataset that was named, or the run's own, or picture files; raises UsageError where there is
            none. It is read once, however often this is called.
        progress: told of every batch.
        epsilons: radii on the scale [0, 1], rising, without 0; () for the driver's own.
        norm: of the radii; None for each method's own.
        targeted: index of the class that is aimed at; None for any other answer.
        transfer_to: a second network that is shown what the first was attacked with.
        pictures: most pictures that are taken.
        speed: "auto" may compute gradients by the engine's plan; "exact" computes all in float32.
        arrays: whether the numbers behind the sheets are to be kept.
        keep: folder that the pictures themselves are written to, as PNG; None for nowhere.
        seed: of all draws.
    """

    trained: Trained
    methods: Mapping[str, Any]
    open_data: Callable[[], Asked]
    progress: Progress
    epsilons: tuple[float, ...] = ()
    norm: Norm | None = None
    targeted: int | None = None
    transfer_to: Trained | None = None
    pictures: int = 1000
    speed: Literal["auto", "exact"] = "auto"
    arrays: bool = False
    keep: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Stress:
    """The driver of one kind of method.

    Attributes:
        run: does it. Raises UsageError where methods, options and network do not go together.
        takes_epsilons: whether radii, a norm and a second network have a meaning for it.
        takes_class: whether a class can be aimed at.
        takes_data: whether it is about pictures of a dataset.
    """

    run: Callable[[StressRequest], Findings]
    takes_epsilons: bool = False
    takes_class: bool = False
    takes_data: bool = True


STRESSES: Registry[Stress] = Registry("a kind of attack", "neocog.examine")
"""By `kind` of the members of `ATTACKS`."""
