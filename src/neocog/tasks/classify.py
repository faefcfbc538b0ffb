"""Classification: one class for each picture."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neocog.batch import Batch, Fit
from neocog.draw.annotate import annotate
from neocog.engine import forward
from neocog.engine.plan import Plan
from neocog.errors import UsageError
from neocog.images import Picture
from neocog.losses import CLASSIFICATION_LOSSES, label_weights
from neocog.metrics.base import Metrics
from neocog.metrics.classification import ClassificationMetrics
from neocog.models.network import Network
from neocog.options import check, option
from neocog.targets import Label, Labels, Prediction, Target
from neocog.tasks.class_weights import require_one_for_each, weights_on, with_auxiliary_heads
from neocog.tasks.task import TASKS

__all__ = ["Classify", "ClassifyObjective", "ClassifyOptions"]

ANSWERS_DRAWN = 3


@dataclass(frozen=True)
class ClassifyOptions:
    """What can be chosen about learning to classify."""

    loss: Literal["auto", "cross_entropy", "maximum_a_posteriori", "squared_error"] = option(
        "auto", "what training makes smaller; auto takes the network's own"
    )
    label_smoothing: float = option(0.0, "share of each target spread over all classes, in [0, 1]", low=0, high=1)
    class_weights: tuple[float, ...] = option(
        (), "weight of each class in the loss, in the order of the class names; without them all weigh 1", above=0
    )

    def __post_init__(self) -> None:
        check(self)


class Classify:
    """See Task. Outputs are logits "b classes"."""

    Options: ClassVar[type] = ClassifyOptions
    geometry: ClassVar[Literal["affine", "exact"]] = "affine"
    showings = 1

    def __init__(self, options: ClassifyOptions, class_names: tuple[str, ...]) -> None:
        require_one_for_each(options.class_weights, class_names)
        self.options = options
        self.class_names = class_names

    def fit(self, training: bool) -> Fit:
        """The picture covers the input."""
        return "cover"

    def disturb(self, batch: Batch, seed: int, epoch: int | None) -> Batch:
        """The pictures as they are."""
        return batch

    def loss(self, model: Network, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """The network's loss, or the one that was chosen; auxiliary heads count by the network's weight for them."""
        labels = _labels(batch)
        loss = CLASSIFICATION_LOSSES[model.loss if self.options.loss == "auto" else self.options.loss]
        weights = weights_on(outputs["logits"].device, self.options.class_weights)
        losses = {
            name: loss(logits, labels, label_smoothing=self.options.label_smoothing, class_weights=weights)
            for name, logits in outputs.items()
        }
        return {"total": with_auxiliary_heads(model, losses)}

    def weight(self, batch: Batch) -> float:
        """The sum of the labels' weights, which are 1 without class weights."""
        weights = weights_on(batch.pixels.device, self.options.class_weights)
        return float(len(batch)) if weights is None else float(label_weights(_labels(batch), weights).sum())

    def decode(self, outputs: Tensor, batch: Batch) -> list[Prediction]:
        """The most probable class, with the probabilities of all."""
        probabilities = outputs.softmax(dim=1).cpu()
        return [Prediction(Label(int(row.argmax())), row) for row in probabilities]

    def average(self, outputs: Sequence[Float[Tensor, "b k"]]) -> Float[Tensor, "b k"]:
        """The mean of the class probabilities, as its logarithm: softmax gives the probabilities back."""
        return torch.stack([logits.log_softmax(dim=1) for logits in outputs]).logsumexp(dim=0) - log(len(outputs))

    def compare(self, metrics: Metrics[Any, Any], outputs: Tensor, batch: Batch, truth: Callable[[int], Target]) -> None:
        """Logits against the batch's labels."""
        metrics.update(outputs, _labels(batch))

    def metrics(self) -> ClassificationMetrics:
        """Accuracy is primary; higher is better."""
        return ClassificationMetrics(len(self.class_names))

    def objective(self, model: Network, batch: Batch, targeted: int | None = None) -> "ClassifyObjective":
        """See ClassifyObjective; the truth is taken from the batch."""
        truth = batch.targets.classes if isinstance(batch.targets, Labels) else None
        return ClassifyObjective(model, truth, targeted)

    def draw(self, picture: Picture, prediction: Prediction, target: Target | None = None) -> Picture:
        """The most probable classes with their probabilities beside the picture."""
        scores = prediction.scores if prediction.scores is not None else torch.zeros(len(self.class_names))
        top = scores.topk(min(ANSWERS_DRAWN, len(scores)))
        answers = [(self.class_names[index], value) for value, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)]
        truth = self.class_names[target.index] if isinstance(target, Label) else None
        return annotate(picture, answers, note="" if truth is None else f"truth: {truth}")


TASKS.add("classify", Classify)


class ClassifyObjective:
    """See Objective and Decides. Computed in float32, so that gradients are exact, unless `computed_by` says otherwise.

    Args:
        model: in evaluation mode.
        truth: the class of each image; None where it is not known.
        targeted: the class asked about.
    """

    def __init__(self, model: Network, truth: Int64[Tensor, "b"] | None, targeted: int | None = None) -> None:
        device = next(chain(model.parameters(), model.buffers())).device.type
        self._exact = _Computed(model, Plan(device=device, threads=torch.get_num_threads()))
        self._fast = self._exact
        self._truth = truth
        self._targeted = targeted

    @property
    def targeted(self) -> bool:
        """See Decides."""
        return self._targeted is not None

    def computed_by(self, model: Network, plan: Plan) -> "ClassifyObjective":
        """The same question with scores, and so gradients, computed by a plan; `fooled` stays in float32.

        Args:
            model: a copy of the network, prepared for the plan.
            plan: how to compute.
        """
        other = copy.copy(self)
        other._fast = _Computed(model, plan)
        return other

    def scores(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """The logits."""
        return self._fast.logits(images)

    def score(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The logit of the class asked about, else of the truth, else of the network's own decision."""
        scores = self.scores(images)
        return scores.gather(1, self.asked(scores)[:, None])[:, 0]

    def loss(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """Cross-entropy to the truth (or to the own decision); minus that to the class asked for."""
        return self.loss_of(self.scores(images))

    def loss_of(self, scores: Float[Tensor, "b k"]) -> Float[Tensor, "b"]:
        """See Decides."""
        losses = torch.nn.functional.cross_entropy(scores, self.asked(scores), reduction="none")
        return -losses if self.targeted else losses

    def fooled(self, images: Float[Tensor, "b c h w"]) -> Bool[Tensor, "b"]:
        """Whether the decision is not the truth, or is the class asked for.

        Raises:
            UsageError: neither the truth nor a class asked for is known.
        """
        with torch.no_grad():
            return self.fooled_by(self._exact.logits(images))

    def fooled_by(self, scores: Float[Tensor, "b k"]) -> Bool[Tensor, "b"]:
        """See Decides.

        Raises:
            UsageError: neither the truth nor a class asked for is known.
        """
        decisions = scores.argmax(dim=1)
        if self._targeted is not None:
            return decisions == self._targeted
        if self._truth is None:
            raise UsageError("images whose class is known, or a class to aim at", "neither", "give labelled data, or a target class")
        return decisions != self._truth

    def select(self, rows: Int64[Tensor, "n"]) -> "ClassifyObjective":
        """The same question about some of the images; rows may repeat."""
        other = copy.copy(self)
        other._truth = None if self._truth is None else self._truth[rows]
        return other

    def asked(self, scores: Float[Tensor, "b k"]) -> Int64[Tensor, "b"]:
        """See Decides."""
        if self._targeted is not None:
            return torch.full((len(scores),), self._targeted, dtype=torch.int64, device=scores.device)
        return scores.argmax(dim=1) if self._truth is None else self._truth


class _Computed(NamedTuple):
    """A network and the plan that it is prepared for."""

    model: Network
    plan: Plan

    def logits(self, images: Tensor) -> Tensor:
        return forward(self.model, images, self.plan)


def _labels(batch: Batch) -> Labels:
    if not isinstance(batch.targets, Labels):
        raise TypeError(f"classification needs labels, found {type(batch.targets).__name__}")
    return batch.targets
