"""Following the gradient of an objective: what all attacks by gradient share."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neocog.attack.balls import Ball
from neocog.errors import UsageError
from neocog.objective import Decides, Objective

__all__ = ["Look", "Move", "ascend", "confirmed", "drawn_seed", "gradient_of", "judge", "look", "margin_of", "require_decision"]

Move = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From images, the gradients at them and their rows in the batch to where a step leads, before it is brought back into the ball."""


def ascend(
    objective: Objective, ball: Ball, images: Float[Tensor, "b c h w"], move: Move, *, steps: int, stop_early: bool
) -> Float[Tensor, "b c h w"]:
    """Make the objective's loss larger, step by step inside a ball.

    Args:
        objective: about the images.
        ball: around where the attack began.
        images: where the first step starts.
        move: the step.
        steps: how many.
        stop_early: whether images that fool already stay as they are and cost nothing more.
    """
    found = images.clone()
    rows = torch.arange(len(images), device=images.device)
    for _ in range(steps):
        _, gradient, fooled = look(objective, images, judged=stop_early)
        if fooled.any():
            left = (~fooled).nonzero()[:, 0]
            found[rows] = images
            rows, images, gradient = rows[left], images[left], gradient[left]
            objective, ball = objective.select(left), ball.select(left)
            if not len(rows):
                return found
        images = ball.inside(move(images, gradient, rows))
    found[rows] = images
    return found


class Look(NamedTuple):
    """What one pass forwards and backwards shows.

    Attributes:
        loss: of the objective.
        gradient: of the loss by the image.
        fooled: which images fool; none where it was not asked.
    """

    loss: Float[Tensor, "b"]
    gradient: Float[Tensor, "b c h w"]
    fooled: Bool[Tensor, "b"]


def look(objective: Objective, images: Float[Tensor, "b c h w"], *, judged: bool) -> Look:
    """Loss, gradient, and which images fool, in one pass where the objective can tell so much from it.

    Args:
        objective: about the images.
        images: in [0, 1].
        judged: whether it matters which fool.

    Raises:
        UsageError: the network has no gradients.
    """
    leaf = images.detach().requires_grad_()
    fooled = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    with torch.enable_grad():
        if isinstance(objective, Decides):
            scores = objective.scores(leaf)
            loss = objective.loss_of(scores)
            fooled = objective.fooled_by(scores.detach()) if judged else fooled
        else:
            loss = objective.loss(leaf)
        gradient = gradient_of(loss, leaf)
    if judged:
        fooled = confirmed(objective, images, fooled) if isinstance(objective, Decides) else judge(objective, images)
    return Look(loss.detach(), gradient, fooled)


def judge(objective: Objective, images: Float[Tensor, "b c h w"]) -> Bool[Tensor, "b"]:
    """Which images fool, with no gradient kept."""
    with torch.no_grad():
        return objective.fooled(images)


def gradient_of(values: Float[Tensor, "b"], images: Float[Tensor, "b c h w"], *, again: bool = False) -> Float[Tensor, "b c h w"]:
    """The gradient of each value by its image.

    Args:
        values: computed from images that ask for a gradient.
        images: these.
        again: whether another gradient is to be taken from the same pass.

    Raises:
        UsageError: the network has none.
    """
    remedy = "use the method square, which asks for none"
    if not values.requires_grad:
        raise UsageError("a network whose scores have gradients by the image", "one without", remedy)
    (gradient,) = torch.autograd.grad(values.sum(), images, retain_graph=again, allow_unused=True)
    if gradient is None:
        raise UsageError("a network whose scores have gradients by the image", "one that does not pass them on", remedy)
    return gradient.detach()


def margin_of(objective: Decides, scores: Float[Tensor, "b k"]) -> Float[Tensor, "b"]:
    """How far scores are from fooling: below 0 they fool.

    Untargeted: the score of the target less the best of the others; towards a class: the best of the others less its own.
    """
    asked = objective.asked(scores)[:, None]
    others = scores.scatter(1, asked, -torch.inf).amax(dim=1)
    own = scores.gather(1, asked)[:, 0]
    return others - own if objective.targeted else own - others


def require_decision(objective: Objective, method: str) -> Decides:
    """The objective, if it decides between classes.

    Raises:
        UsageError: it does not.
    """
    if not isinstance(objective, Decides):
        raise UsageError(f"a network that gives a picture one class, for {method}", "another task", "use fgsm, pgd or square")
    return objective


def drawn_seed(generator: torch.Generator) -> int:
    """A seed for draws that belong to the row of an image, whatever else is in the batch."""
    return int(torch.randint(1 << 62, (), generator=generator, device=generator.device))


def confirmed(objective: Objective, images: Float[Tensor, "b c h w"], fooled: Bool[Tensor, "b"]) -> Bool[Tensor, "b"]:
    """Of the images that seem to fool those that do: scores may have been computed with less precision than answers are."""
    seeming = fooled.nonzero()[:, 0]
    if not len(seeming):
        return fooled
    confirmed = fooled.clone()
    confirmed[seeming] = judge(objective.select(seeming), images[seeming])
    return confirmed
