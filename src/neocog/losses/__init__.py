"""What training makes smaller."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from neocog.losses.absolute_difference import absolute_difference
from neocog.losses.charbonnier import charbonnier
from neocog.losses.cross_entropy import cross_entropy
from neocog.losses.dice import dice
from neocog.losses.dice_cross_entropy import dice_cross_entropy
from neocog.losses.focal import focal
from neocog.losses.labels import label_weights
from neocog.losses.lovasz import lovasz
from neocog.losses.maximum_a_posteriori import maximum_a_posteriori
from neocog.losses.pixel_cross_entropy import pixel_cross_entropy
from neocog.losses.pixels import pixel_weights
from neocog.losses.squared_difference import squared_difference
from neocog.losses.squared_error import squared_error
from neocog.targets import Labels, Masks

__all__ = [
    "CLASSIFICATION_LOSSES",
    "RESTORATION_LOSSES",
    "SEGMENTATION_LOSSES",
    "ClassificationLoss",
    "RestorationLoss",
    "SegmentationLoss",
    "absolute_difference",
    "charbonnier",
    "cross_entropy",
    "dice",
    "dice_cross_entropy",
    "focal",
    "label_weights",
    "lovasz",
    "maximum_a_posteriori",
    "pixel_cross_entropy",
    "pixel_weights",
    "squared_difference",
    "squared_error",
]


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


class RestorationLoss(Protocol):
    """See `squared_difference`, whose arguments all have."""

    def __call__(
        self, restored: Float[Tensor, "b c h w"], clean: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"] | None = None
    ) -> Float[Tensor, ""]: ...


RESTORATION_LOSSES: Mapping[str, RestorationLoss] = {
    "squared": squared_difference,
    "l1": absolute_difference,
    "charbonnier": charbonnier,
}


@runtime_checkable
class SegmentationLoss(Protocol):
    """See `pixel_cross_entropy`, whose arguments all have."""

    def __call__(
        self, logits: Float[Tensor, "b k h w"], masks: Masks, *, class_weights: Float[Tensor, "k"] | None = None
    ) -> Float[Tensor, ""]: ...


SEGMENTATION_LOSSES: Mapping[str, SegmentationLoss] = {
    "cross_entropy": pixel_cross_entropy,
    "dice": dice,
    "dice_cross_entropy": dice_cross_entropy,
    "focal": focal,
    "lovasz": lovasz,
}
