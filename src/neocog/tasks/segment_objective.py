"""What attacks and explainers ask of a segmentation network."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.engine import forward
from neocog.engine.plan import Plan
from neocog.errors import UsageError
from neocog.models.network import Network
from neocog.targets import Masks

__all__ = ["SegmentObjective"]

HALF = 0.5
"""An image has fooled the network when less than this share of its labelled pixels is answered rightly; one that aims at a
class, when more than this share of all pixels is given that class."""


class SegmentObjective:
    """See Objective. Computed in float32, so that gradients are exact.

    Args:
        model: in evaluation mode.
        truth: the masks of the images at their own size; None where they are not known.
        targeted: the class asked about.
    """

    def __init__(self, model: Network, truth: Masks | None, targeted: int | None = None) -> None:
        self._model = model
        self._truth = truth
        self._targeted = targeted
        self._plan = Plan(device=next(model.parameters()).device.type, threads=torch.get_num_threads())

    @property
    def targeted(self) -> bool:
        """Whether a class is aimed at."""
        return self._targeted is not None

    def scores(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Each class's logit averaged over the labelled pixels, over all where the truth is not known."""
        return self._mean(self._logits(images), self._labelled(images)[:, None])

    def score(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The logit of the class asked about, averaged over its region in the truth, over the image where it has none.

        Where none is asked about: the mean over the labelled pixels of the logit of each pixel's own class, or of the
        one that the network decides for where the truth is not known.
        """
        logits = self._logits(images)
        if self._targeted is not None:
            return self._mean(logits[:, self._targeted], self._region(images))
        asked = logits.argmax(dim=1) if self._truth is None else self._classes(self._truth)
        return self._mean(logits.gather(1, asked[:, None])[:, 0], self._labelled(images))

    def loss(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The mean cross-entropy to the truth (or to the own decisions); minus that to the class asked for, over all pixels."""
        logits = self._logits(images)
        if self._targeted is not None:
            asked = torch.full_like(logits[:, 0], self._targeted, dtype=torch.int64)
            return -self._cross_entropy(logits, asked, torch.ones_like(asked, dtype=torch.bool))
        asked = logits.detach().argmax(dim=1) if self._truth is None else self._classes(self._truth)
        return self._cross_entropy(logits, asked, self._labelled(images))

    def fooled(self, images: Float[Tensor, "b c h w"]) -> Bool[Tensor, "b"]:
        """Whether less than half of the labelled pixels are answered rightly, or more than half are the class asked for.

        Raises:
            UsageError: neither the truth nor a class asked for is known.
        """
        with torch.no_grad():
            decisions = self._logits(images).argmax(dim=1)
        if self._targeted is not None:
            return (decisions == self._targeted).float().mean(dim=(1, 2)) > HALF
        if self._truth is None:
            raise UsageError("images whose masks are known, or a class to aim at", "neither", "give labelled data, or a target class")
        return self._mean((decisions == self._truth.classes).float(), self._labelled(images)) < HALF

    def select(self, rows: Int64[Tensor, "n"]) -> "SegmentObjective":
        """The same question about some of the images; rows may repeat."""
        truth = None if self._truth is None else Masks(self._truth.classes[rows], self._truth.void)
        return SegmentObjective(self._model, truth, self._targeted)

    def _logits(self, images: Tensor) -> Float[Tensor, "b k h w"]:
        return forward(self._model, images, self._plan)

    def _labelled(self, images: Tensor) -> Bool[Tensor, "b h w"]:
        if self._truth is None:
            return torch.ones_like(images[:, 0], dtype=torch.bool)
        return self._truth.classes != self._truth.void

    def _region(self, images: Tensor) -> Bool[Tensor, "b h w"]:
        """Where the class asked about is in the truth; all of an image in which it is not."""
        if self._truth is None:
            return torch.ones_like(images[:, 0], dtype=torch.bool)
        region = self._truth.classes.eq(-1 if self._targeted is None else self._targeted)
        return region | ~region.any(dim=(1, 2), keepdim=True)

    @staticmethod
    def _classes(truth: Masks) -> Int64[Tensor, "b h w"]:
        """The truth with some class where it is void, which no mean counts."""
        return truth.classes.masked_fill(truth.classes == truth.void, 0)

    @staticmethod
    def _cross_entropy(logits: Tensor, asked: Tensor, counted: Tensor) -> Float[Tensor, "b"]:
        rows = logits.movedim(1, -1).reshape(-1, logits.shape[1])
        losses = functional.cross_entropy(rows, asked.reshape(-1), reduction="none").view(asked.shape)
        return SegmentObjective._mean(losses, counted)

    @staticmethod
    def _mean(values: Tensor, counted: Tensor) -> Tensor:
        return (values * counted).sum(dim=(-2, -1)) / counted.sum(dim=(-2, -1)).clamp(min=1)
