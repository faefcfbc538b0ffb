"""Fooling by gradient ascent: noise that is changed, step by step, until the network is sure of a class.

A. Nguyen, J. Yosinski, J. Clune, "Deep Neural Networks are Easily Fooled: High Confidence Predictions for Unrecognizable
Images", 2014, https://arxiv.org/abs/1412.1897, after K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside
Convolutional Networks", 2013, https://arxiv.org/abs/1312.6034, section 2, which draws the values to grey as `decay` does.

What is climbed is the logarithm of the class's probability. A step has one length for all pictures, whatever their
gradients' lengths are, and the network is always asked about the picture rounded to 256 levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from neocog.attack.ascent import gradient_of
from neocog.attack.member import ATTACKS, Fooled, Fooling, Round
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["FoolingGradientOptions", "fooling_gradient"]

GREY = 0.5
PIXELS_AT_ONCE = 2_000_000  # of all pictures that pass through the network together


@dataclass(frozen=True)
class FoolingGradientOptions:
    """What can be chosen."""

    steps: int = option(300, "most steps of the ascent", low=1)
    rate: float = option(0.01, "length of a step: root mean square over the values, on the scale 0 to 1", above=0)
    decay: float = option(0.0, "weight of the mean squared distance from grey, against the logarithm of the confidence", low=0)
    smoothness: float = option(0.0, "weight of the mean difference between neighbours, likewise", low=0)
    noise: float = option(0.1, "standard deviation of the noise about grey that is begun with, on the scale 0 to 1", low=0)
    sure: float = option(0.999, "confidence at which a picture is done, from 0 to 1", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def fooling_gradient(
    objective: Objective,
    classes: Int64[Tensor, "n"],
    shape: tuple[int, int, int],
    options: FoolingGradientOptions,
    *,
    generator: torch.Generator,
    tell: Callable[[Round], None] | None = None,
) -> Fooled:
    """See Fooling. Of the pictures of a search the one with the highest confidence counts."""
    noise = torch.randn((len(classes), *shape), generator=generator, device=generator.device)
    images = (GREY + options.noise * noise).clamp_(0, 1)
    pixels, best = _as_levels(images), torch.zeros(len(classes), device=images.device)
    curve = []
    rows = torch.arange(len(classes), device=images.device)
    at_once = max(1, PIXELS_AT_ONCE // (shape[1] * shape[2]))
    for step in range(options.steps + 1):
        for part in rows.split(at_once):
            levels = _as_levels(images[part])
            confidences, gradient = _asked(objective, levels, classes[part], options)
            better = confidences > best[part]
            pixels[part[better]], best[part[better]] = levels[better], confidences[better]
            images[part] = (images[part] + options.rate * _of_length_one(gradient)).clamp_(0, 1)
        rows = rows[best[rows] < options.sure]
        curve.append(Round(step, tuple(best.tolist())))
        if tell is not None:
            tell(curve[-1])
        if not len(rows):
            break
    return Fooled(pixels, classes, best, tuple(curve))


def _asked(
    objective: Objective, levels: UInt8[Tensor, "b c h w"], classes: Int64[Tensor, "b"], options: FoolingGradientOptions
) -> tuple[Float[Tensor, "b"], Float[Tensor, "b c h w"]]:
    """The confidences in the classes, and the gradient of what is climbed."""
    leaf = (levels.float() / 255).requires_grad_()
    with torch.enable_grad():
        scores = objective.scores(leaf)
        climbed = -functional.cross_entropy(scores, classes, reduction="none")
        if options.decay:
            climbed = climbed - options.decay * (leaf - GREY).square().flatten(1).mean(dim=1)
        if options.smoothness:
            climbed = climbed - options.smoothness * _roughness(leaf)
        gradient = gradient_of(climbed, leaf)
    confidences = scores.detach().softmax(dim=1).gather(1, classes[:, None])[:, 0]
    return confidences, gradient


def _roughness(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
    """The mean difference between values beside and below one another (the anisotropic total variation)."""
    across, down = (images.diff(dim=axis).abs().flatten(1) for axis in (3, 2))
    return (across.sum(dim=1) + down.sum(dim=1)) / max(across.shape[1] + down.shape[1], 1)


def _of_length_one(gradient: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Gradients with a root mean square of 1; where there is none, none."""
    length = gradient.square().flatten(1).mean(dim=1).sqrt()[:, None, None, None]
    return torch.where(length > 0, gradient / length.clamp(min=torch.finfo(gradient.dtype).tiny), 0.0)


def _as_levels(images: Float[Tensor, "b c h w"]) -> UInt8[Tensor, "b c h w"]:
    return (images * 255).round().to(torch.uint8)


ATTACKS.add(
    "fooling_gradient",
    Fooling(
        fooling_gradient,
        FoolingGradientOptions,
        summary="noise made to look like a class by gradient ascent",
        source="A. Nguyen et al., 2014, Deep Neural Networks are Easily Fooled, https://arxiv.org/abs/1412.1897",
    ),
)
