"""What attacks and explainers see of a task: numbers about images, and nothing of how they come about."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int64
from torch import Tensor

__all__ = ["Decides", "Objective"]


@runtime_checkable
class Objective(Protocol):
    """A question about a batch of images, float in [0, 1]; normalisation happens inside.

    Every method is differentiable in `images` except `fooled`.
    """

    def scores(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """One score per class (for other tasks: per possible answer), before any softmax."""
        ...

    def score(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The score of the class asked about, else of the target, else of the network's own decision."""
        ...

    def loss(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """What an attacker makes larger: the task's loss, or minus the loss towards the class asked for."""
        ...

    def fooled(self, images: Float[Tensor, "b c h w"]) -> Bool[Tensor, "b"]:
        """Whether the answer is wrong, or, where a class is asked for, is that class."""
        ...

    def select(self, rows: Int64[Tensor, "n"]) -> "Objective":
        """The same question about some of the batch's images; rows may repeat."""
        ...


@runtime_checkable
class Decides(Objective, Protocol):
    """What an objective has beside the rest where the answer about an image is the one class with the highest score.

    One pass through the network then answers everything. Scores may be computed faster than `fooled`, which has the
    last word.

    Attributes:
        targeted: whether a class is aimed at.
    """

    targeted: bool

    def asked(self, scores: Float[Tensor, "b k"]) -> Int64[Tensor, "b"]:
        """Which of the scores is asked about: of the class aimed at, else of the target, else of the network's own decision."""
        ...

    def loss_of(self, scores: Float[Tensor, "b k"]) -> Float[Tensor, "b"]:
        """The loss that belongs to scores of all the images."""
        ...

    def fooled_by(self, scores: Float[Tensor, "b k"]) -> Bool[Tensor, "b"]:
        """Whether the answer that the scores give is wrong, or the class aimed at."""
        ...
