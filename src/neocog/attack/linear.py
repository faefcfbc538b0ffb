"""Fooling a linear classifier by its own weights.

A. Karpathy, "Breaking Linear Classifiers on ImageNet", 2015, https://karpathy.github.io/2015/03/30/breaking-convnets/;
I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and Harnessing Adversarial Examples", 2014,
https://arxiv.org/abs/1412.6572, section 3.

A class's score is a weighted sum of the image's values, so that its gradient is its weights w, the same for every image.
Towards a class its weights are added: inside a ball nothing raises its score further than epsilon times the sign of w in
linf, by epsilon times the sum of |w|, or epsilon times w / |w| in l2, by epsilon times its Euclidean length. Away from the
truth the weights of that class are added whose lead over the truth can grow most, and the truth's subtracted: where
this does not fool, nothing in the ball does. Both hold as far as the image's values do not end at 0 and 1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.ascent import gradient_of, require_decision
from neocog.attack.balls import Ball, steepest
from neocog.attack.member import ATTACKS, Attack, Bounded, Norm
from neocog.errors import UsageError
from neocog.objective import Decides, Objective
from neocog.options import check

__all__ = ["LinearOptions", "linear", "require_linear", "weights_of"]

TOLERANCE = 1e-3  # of the scores' spread, for what is no more than rounding
DUAL: dict[Norm, int] = {"linf": 1, "l2": 2}  # the norm of the weights that tells how far a score can be moved


@dataclass(frozen=True)
class LinearOptions(Bounded):
    """Nothing beside the ball."""

    def __post_init__(self) -> None:
        check(self)


def linear(
    objective: Objective, images: Float[Tensor, "b c h w"], options: LinearOptions, *, generator: torch.Generator
) -> Float[Tensor, "b c h w"]:
    """See Attack; draws nothing.

    Raises:
        UsageError: the scores are not linear in the image, or are not of classes.
    """
    decides = require_decision(objective, "linear")
    require_linear(objective, images)
    weights = weights_of(objective, images[:1])
    with torch.no_grad():
        scores = objective.scores(images)
    direction = weights[decides.asked(scores)] if decides.targeted else _away(decides, weights, scores, options)
    step = steepest(direction, options.norm)
    return Ball(images, options.epsilon, options.norm).inside(images + options.epsilon * step)


def weights_of(objective: Objective, image: Float[Tensor, "1 c h w"], most: int | None = None) -> Float[Tensor, "k c h w"]:
    """The weights of the first classes of a linear classifier on the image's scale, [0, 1].

    Args:
        objective: about images of the network.
        image: any.
        most: how many classes; None for all.
    """
    leaf = image.detach().requires_grad_()
    with torch.enable_grad():
        scores = objective.scores(leaf)
        columns = scores.unbind(dim=1)[:most]
        return torch.cat([gradient_of(column, leaf, again=True) for column in columns])


def require_linear(objective: Objective, images: Float[Tensor, "b c h w"]) -> None:
    """Check that the score of an image half way to black is half way to the score of black.

    Raises:
        UsageError: it is not.
    """
    with torch.no_grad():
        whole, half, black = (objective.scores(images * share) for share in (1.0, 0.5, 0.0))
    if bool((whole + black - 2 * half).abs().max() > TOLERANCE * (whole - black).abs().max()):
        remedy = "use fgsm, which takes a network as linear near the picture"
        raise UsageError("scores that are linear in the picture, for linear", "others", remedy)


def _away(objective: Decides, weights: Tensor, scores: Float[Tensor, "b k"], options: LinearOptions) -> Float[Tensor, "b c h w"]:
    """For each image the weights of the class that can lead most, less those of the truth."""
    truth = objective.asked(scores)
    rivals = torch.empty_like(truth)
    for own in truth.unique().tolist():
        rows = (truth == own).nonzero()[:, 0]
        reach = options.epsilon * (weights - weights[own]).flatten(1).norm(p=DUAL[options.norm], dim=1)
        leads = scores[rows] - scores[rows, own : own + 1] + reach
        leads[:, own] = -torch.inf
        rivals[rows] = leads.argmax(dim=1)
    return weights[rivals] - weights[truth]


ATTACKS.add(
    "linear",
    Attack(
        linear,
        LinearOptions,
        norms=("linf", "l2"),
        bounded=True,
        summary="the weights of a linear classifier, added to the picture",
        source="A. Karpathy, 2015, Breaking Linear Classifiers on ImageNet, https://karpathy.github.io/2015/03/30/breaking-convnets/",
        one_class=True,
    ),
)
