"""The gradient of the score by the pixels, and how many images pass through the network at once."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.errors import UsageError
from neocog.objective import Objective

__all__ = ["at_once", "gradient", "strongest_channel", "with_gradient"]

PIXELS_AT_ONCE = 8 * 224 * 224
MOST_AT_ONCE = 512


def at_once(images: Float[Tensor, "b c h w"]) -> int:
    """How many images of this size pass through the network together: so few that large ones do not fill the memory."""
    return max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // images[0, 0].numel()))


def gradient(objective: Objective, images: Float[Tensor, "b c h w"], of: Literal["score", "loss"] = "score") -> Float[Tensor, "b c h w"]:
    """The derivative of each image's score, or of its loss, by each of its values.

    Raises:
        UsageError: the network's answer has no gradient.
    """
    return with_gradient(objective, images, of)[1]


def with_gradient(
    objective: Objective, images: Float[Tensor, "b c h w"], of: Literal["score", "loss"] = "score"
) -> tuple[Float[Tensor, "b"], Float[Tensor, "b c h w"]]:
    """The scores, or the losses, and what `gradient` gives.

    Raises:
        UsageError: as `gradient`.
    """
    leaf = images.detach().requires_grad_()
    with torch.enable_grad():
        answer = objective.score(leaf) if of == "score" else objective.loss(leaf)
    if not answer.requires_grad:
        raise UsageError("a network whose answer has a gradient", "one without", "choose a method that asks for none, as occlusion")
    return answer.detach(), torch.autograd.grad(answer, leaf, torch.ones_like(answer))[0]


def strongest_channel(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
    """The largest absolute value of any channel, for each pixel."""
    return values.abs().amax(dim=1)
