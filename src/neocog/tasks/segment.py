"""Segmentation: one class for each pixel."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, UInt16
from torch import Tensor

from neocog.batch import Batch, Fit
from neocog.draw.segmentation import draw_segmentation
from neocog.images import Picture, Size
from neocog.losses import SEGMENTATION_LOSSES, focal, pixel_weights
from neocog.losses import SegmentationLoss as Loss
from neocog.metrics.base import Metrics
from neocog.metrics.segmentation import SegmentationMetrics
from neocog.models.network import Network
from neocog.options import check, option
from neocog.targets import Mask, Masks, Prediction, Target
from neocog.tasks.class_weights import require_one_for_each, weights_on, with_auxiliary_heads
from neocog.tasks.segment_objective import SegmentObjective
from neocog.tasks.source_scale import rows_at_source
from neocog.tasks.task import TASKS

__all__ = ["Segment", "SegmentOptions"]

BY_PIXELS = ("cross_entropy", "focal")  # losses that are means over pixels; the others compare areas
LEAST_WEIGHT = 1e-6  # of a batch in which all is void


@dataclass(frozen=True)
class SegmentOptions:
    """What can be chosen about learning to segment."""

    loss: Literal["dice_cross_entropy", "cross_entropy", "focal", "dice", "lovasz"] = option(
        "dice_cross_entropy", "what training makes smaller"
    )
    focal_gamma: float = option(2.0, "how little pixels count that are told well; of the focal loss", low=0)
    balance: Literal["none", "median_frequency"] = option(
        "none", "median_frequency weighs each class by how rare it is among the training pictures' pixels, and records it in class_weights"
    )
    class_weights: tuple[float, ...] = option(
        (), "weight of each class in the loss, in the order of the class names; without them all weigh 1", above=0
    )
    fit: Literal["letterbox", "crop"] = option(
        "letterbox", "letterbox shows whole pictures, crop windows at the pictures' own scale; told from the data unless given"
    )

    def __post_init__(self) -> None:
        check(self)


class Segment:
    """See Task. Outputs are logits "b classes h w" at the input's height and width."""

    Options: ClassVar[type] = SegmentOptions
    geometry: ClassVar[Literal["affine", "exact"]] = "affine"
    showings = 1

    def __init__(self, options: SegmentOptions, class_names: tuple[str, ...]) -> None:
        require_one_for_each(options.class_weights, class_names)
        self.options = options
        self.class_names = class_names

    def fit(self, training: bool) -> Fit:
        """Whole pictures, or windows in training and in prediction all of the picture; never squashed."""
        if self.options.fit == "letterbox":
            return "letterbox"
        return "crop" if training else "native"

    def scaled(self, source: Size, size: Size) -> Size:
        """See Scales: a letterboxed picture is kept as large as it is shown."""
        if self.options.fit == "crop":
            return source
        scale = min(size[0] / source[0], size[1] / source[1])
        return max(1, min(size[0], round(source[0] * scale))), max(1, min(size[1], round(source[1] * scale)))

    def counted(self, targets: Iterable[Target]) -> Mapping[str, Any]:
        """See Counts: the weights of median frequency balancing, unless weights are given.

        The median of the classes' frequencies, over a class's own; its frequency is the number of its pixels over
        that of all labelled pixels in pictures where it occurs. D. Eigen, R. Fergus, 2015, section 6.3.2,
        https://arxiv.org/abs/1411.4734.
        """
        if self.options.balance == "none" or self.options.class_weights:
            return {}
        masks = (target for target in targets if isinstance(target, Mask))
        return {"class_weights": median_frequency(masks, len(self.class_names))}

    def disturb(self, batch: Batch, seed: int, epoch: int | None) -> Batch:
        """The pictures as they are."""
        return batch

    def loss(self, model: Network, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """The chosen loss; auxiliary heads count by the network's weight for them."""
        masks, loss = _masks(batch), self._loss()
        weights = weights_on(outputs["logits"].device, self.options.class_weights)
        losses = {name: loss(logits, masks, class_weights=weights) for name, logits in outputs.items()}
        return {"total": with_auxiliary_heads(model, losses)}

    def _loss(self) -> Loss:
        if self.options.loss == "focal":
            return partial(focal, gamma=self.options.focal_gamma)
        return SEGMENTATION_LOSSES[self.options.loss]

    def weight(self, batch: Batch) -> float:
        """The sum of the pixels' weights as a share of a picture's pixels; the pictures where the loss compares areas."""
        masks = _masks(batch)
        if self.options.loss not in BY_PIXELS:
            return float(len(batch))
        weights = pixel_weights(masks, weights_on(batch.pixels.device, self.options.class_weights))
        return max(float(weights.sum(dtype=torch.float64)) / weights[0].numel(), LEAST_WEIGHT)

    def decode(self, outputs: Tensor, batch: Batch) -> list[Prediction]:
        """The most probable class of each source pixel, with its probability in half precision."""
        return [Prediction(*_decided(maps, to_input, size)) for maps, to_input, size in _one_by_one(outputs, batch)]

    def probabilities(self, outputs: Tensor, batch: Batch) -> list[Float[Tensor, "k h w"]]:
        """Of every class at each source pixel, picture by picture."""
        return [
            torch.cat([rows.softmax(dim=0) for rows in rows_at_source(maps, to_input, size)], dim=1)
            for maps, to_input, size in _one_by_one(outputs, batch)
        ]

    def average(self, outputs: Sequence[Float[Tensor, "b k h w"]]) -> Float[Tensor, "b k h w"]:
        """The mean of the class probabilities, as its logarithm: softmax gives the probabilities back."""
        return torch.stack([logits.log_softmax(dim=1) for logits in outputs]).logsumexp(dim=0) - log(len(outputs))

    def compare(self, metrics: Metrics[Any, Any], outputs: Tensor, batch: Batch, truth: Callable[[int], Target]) -> None:
        """The decided classes against the masks, at the source's size."""
        answers = [Mask(_classes(maps, to_input, size)) for maps, to_input, size in _one_by_one(outputs, batch)]
        metrics.update(answers, [truth(key) for key in batch.keys.tolist()])

    def metrics(self) -> SegmentationMetrics:
        """Mean intersection over union is primary; higher is better."""
        return SegmentationMetrics(len(self.class_names))

    def watched(self) -> SegmentationMetrics:
        """See Watches: all but boundary F1."""
        return SegmentationMetrics(len(self.class_names), boundaries=False)

    def judged(self, prediction: Prediction, target: Target) -> dict[str, float]:
        """See Judges: the same metrics of one picture, over the classes that occur in it."""
        metrics = self.metrics()
        if isinstance(prediction.answer, Mask) and isinstance(target, Mask):
            metrics.update([prediction.answer], [target])
        return metrics.compute()

    def objective(self, model: Network, batch: Batch, targeted: int | None = None) -> SegmentObjective:
        """See SegmentObjective; the truth is taken from the batch."""
        return SegmentObjective(model, batch.targets if isinstance(batch.targets, Masks) else None, targeted)

    def draw(self, picture: Picture, prediction: Prediction, target: Target | None = None) -> Picture:
        """The answer over the picture with a legend; beside it the truth, and where the two differ, where it is known."""
        if not isinstance(prediction.answer, Mask):
            raise TypeError(f"segmentation answers with masks, found {type(prediction.answer).__name__}")
        return draw_segmentation(picture, prediction.answer, self.class_names, target if isinstance(target, Mask) else None)


TASKS.add("segment", Segment)


def median_frequency(masks: Iterable[Mask], count: int) -> tuple[float, ...]:
    """The weight of each class, see `Segment.counted`; 1 for a class without a pixel.

    Args:
        masks: of the training pictures.
        count: how many classes there are.
    """
    own, together = torch.zeros(count, dtype=torch.float64), torch.zeros(count, dtype=torch.float64)
    for mask in masks:
        classes = mask.classes.flatten().to(torch.int64)
        pixels = torch.bincount(classes[classes < count] if mask.void is None else classes[classes != mask.void], minlength=count)
        own += pixels
        together += torch.where(pixels > 0, pixels.sum(), 0)
    occurs = own > 0
    frequency = own / together.clamp(min=1)
    middle = frequency[occurs].quantile(0.5) if bool(occurs.any()) else frequency.new_ones(())
    return tuple(round(float(weight), 4) for weight in torch.where(occurs, middle / frequency.clamp(min=1e-12), 1.0).clamp(min=1e-4))


def _one_by_one(outputs: Tensor, batch: Batch) -> Iterator[tuple[Tensor, Tensor, Size]]:
    sizes = [(height, width) for height, width in batch.source_sizes.tolist()]
    # Pictures in their own pixels are padded to one size: what is beyond a picture is no answer.
    for maps, to_input, (height, width) in zip(outputs, batch.to_input.cpu(), sizes, strict=True):
        yield maps[:, :height, :width] if _is_unmoved(to_input) else maps, to_input, (height, width)


def _is_unmoved(matrix: Tensor) -> bool:
    return torch.equal(matrix.cpu(), torch.eye(3))


def _classes(maps: Tensor, to_input: Tensor, size: Size) -> UInt16[Tensor, "h w"]:
    classes, top = torch.zeros(size, dtype=torch.uint16), 0
    for rows in rows_at_source(maps, to_input, size):
        classes[top : top + rows.shape[1]].copy_(rows.argmax(dim=0))
        top += rows.shape[1]
    return classes


def _decided(maps: Tensor, to_input: Tensor, size: Size) -> tuple[Mask, Float[Tensor, "h w"]]:
    classes, scores = torch.zeros(size, dtype=torch.uint16), torch.zeros(size, dtype=torch.float16)
    top = 0
    for rows in rows_at_source(maps, to_input, size):
        part = slice(top, top := top + rows.shape[1])
        best, index = rows.max(dim=0)
        classes[part].copy_(index)
        scores[part].copy_((rows - best).exp_().sum(dim=0).reciprocal_())  # softmax of the best, without a second search for it
    return Mask(classes), scores


def _masks(batch: Batch) -> Masks:
    if not isinstance(batch.targets, Masks):
        raise TypeError(f"segmentation needs masks, found {type(batch.targets).__name__}")
    return batch.targets
