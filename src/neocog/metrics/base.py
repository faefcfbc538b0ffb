"""What every task's metrics can do."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor

__all__ = ["ByClass", "Metrics"]

Outputs_contra = TypeVar("Outputs_contra", contravariant=True)
Known_contra = TypeVar("Known_contra", contravariant=True)
Same = TypeVar("Same", bound="Metrics[Any, Any]")  # typing.Self, which beartype does not take in a Protocol


@runtime_checkable
class Metrics(Protocol[Outputs_contra, Known_contra]):
    """Numbers that gather over the batches of a split, in sums that two processes can add.

    The two type parameters are what the task compares: logits with `Labels` for classification, predictions
    with `Boxes` for detection, class indices with `Masks`, restored pictures with `Cleans`.
    """

    @property
    def primary(self) -> str:
        """The name of the metric by which the best epoch is chosen."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Which way the primary metric improves."""
        ...

    def update(self, outputs: Outputs_contra, targets: Known_contra) -> None:
        """Take one batch in."""
        ...

    def merge(self: Same, other: Same) -> None:
        """Take in what another one has gathered over other pictures."""
        ...

    def compute(self) -> dict[str, float]:
        """The metrics by name, without the split's prefix.

        Raises:
            DataError: nothing was taken in yet.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        ...

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the sums that `state` gave."""
        ...


@runtime_checkable
class ByClass(Protocol):
    """What metrics have beside the rest where each class has figures of its own."""

    def class_rows(self, class_names: Sequence[str]) -> list[dict[str, Any]]:
        """The figures by name of each class that occurs, its "name" first."""
        ...
