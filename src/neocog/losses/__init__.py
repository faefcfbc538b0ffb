"""What training makes smaller."""

from collections.abc import Mapping
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from neocog.losses.cross_entropy import cross_entropy
from neocog.losses.labels import label_weights
from neocog.losses.maximum_a_posteriori import maximum_a_posteriori
from neocog.losses.squared_error import squared_error
from neocog.targets import Labels

__all__ = ["CLASSIFICATION_LOSSES", "ClassificationLoss", "cross_entropy", "label_weights", "maximum_a_posteriori", "squared_error"]


class ClassificationLoss(Protocol):
    """See `cross_entropy`, whose arguments all have."""

    def __call__(
        self,
        logits: Float[Tensor, "b k"],
        labels: Labels,
        *,
        label_smoothing: float = 0.0,
        class_weights: Float[Tensor, "k"] | None = None,
    ) -> Float[Tensor, ""]: ...


CLASSIFICATION_LOSSES: Mapping[str, ClassificationLoss] = {
    "cross_entropy": cross_entropy,
    "maximum_a_posteriori": maximum_a_posteriori,
    "squared_error": squared_error,
}
